/**
 * @file Reading and assigning: names, fields, elements. In: a place of the code. Out: what is there. What comes from outside the
 * code is taken for granted from then on, and a call that finds it changed compiles anew; fields that the code assigns are
 * kept apart until the run is over.
 */
import { Buffer, Module, Parameter } from '../../nn/module.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { isLibraryFunction } from '../library.ts';
import { isConstant, isState } from '../marks.ts';
import { ts, type TS } from '../typescript.ts';
import { bare } from '../facts/functions.ts';
import { refuse, textOf, type Context } from './context.ts';
import { closureOf } from './code.ts';
import { elementsOf } from './iterate.ts';
import { isCollection, sizeOf } from './maps.ts';
import { keyOf } from './patterns.ts';
import { Closure, Conflict, typeName, Unknown } from './values.ts';
import { Cell, type Scope } from './memory.ts';

const GLOBALS: Readonly<Record<string, unknown>> = {
  undefined,
  NaN,
  Infinity,
  Math,
  Number,
  String,
  Boolean,
  Array,
  Object,
  Error,
  TypeError,
  RangeError,
  Promise,
  console,
  isNaN,
  isFinite,
  parseInt,
  parseFloat,
  Symbol,
};

/** Names whose value differs from run to run. */
const RESTLESS = new Set(['Date', 'performance', 'crypto']);

export function read(context: Context, node: TS.Identifier, scope: Scope): unknown {
  const name = node.text;
  const found = scope.find(name);
  if (found instanceof Cell) return usable(context, found.value, name, node);
  if (found) return outside(context, found.outside, name, node);
  if (name in GLOBALS) return GLOBALS[name];
  if (name === 'arguments')
    throw refuse(context, node, 'JL311', '`arguments` is not known at compile time', 'Name the parameters.');
  if (name === 'eval')
    throw refuse(context, node, 'JL311', '`eval` runs code that is not known at compile time', 'Write the code out.');
  if (RESTLESS.has(name))
    throw refuse(context, node, 'JL308', `‘${name}’ gives another value at every run`, 'Pass the value in.');
  if (name in globalThis) return Reflect.get(globalThis, name) as unknown;
  throw refuse(
    context,
    node,
    'JL307',
    `what ‘${name}’ stands for cannot be seen from here`,
    'Run with `node --import jitlens/register`, which notes it, or pass it in as an argument.',
  );
}

function usable(context: Context, value: unknown, name: string, node: TS.Node): unknown {
  if (value instanceof Conflict) throw refuse(context, node, value.code, value.message(name), value.hint);
  return value;
}

function outside(context: Context, names: Readonly<Record<string, unknown>>, name: string, node: TS.Node): unknown {
  const value = names[name];
  context.assume(names, name, value);
  if (value instanceof Tensor && !(value instanceof Parameter) && !(value instanceof Buffer) && !isConstant(value)) {
    throw refuse(
      context,
      node,
      'JL303',
      `‘${name}’ is a tensor from outside that is not registered on the module`,
      'Make it a Parameter or Buffer, mark it with `jit.constant(…)`, or add a parameter.',
    );
  }
  return value;
}

export function assign(context: Context, target: TS.Expression, value: unknown, scope: Scope): unknown {
  const { memory } = context;
  const place = bare(target);
  if (ts.isIdentifier(place)) {
    const found = scope.find(place.text);
    if (!(found instanceof Cell)) {
      throw refuse(
        context,
        place,
        'JL302',
        `‘${place.text}’ is a variable outside the compiled code`,
        'Return the value instead.',
      );
    }
    if (found.constant) throw new TypeError('Assignment to constant variable.');
    memory.assign(found, value);
    return value;
  }
  if (ts.isPropertyAccessExpression(place)) {
    const of = context.evaluate(place.expression, scope);
    setProperty(context, of, place.name.text, value, place);
    return value;
  }
  if (ts.isElementAccessExpression(place)) {
    const of = context.evaluate(place.expression, scope);
    const key = context.evaluate(place.argumentExpression, scope);
    if (typeof key !== 'number' && typeof key !== 'string')
      throw refuse(
        context,
        place,
        'JL312',
        `which element ‘${textOf(context, place.argumentExpression)}’ names is only known at run time`,
        'Use a known index.',
      );
    setProperty(context, of, key, value, place);
    return value;
  }
  if (ts.isArrayLiteralExpression(place)) {
    const items = elementsOf(context, value, place);
    place.elements.forEach((element, i) => {
      if (ts.isOmittedExpression(element)) return;
      const rest = ts.isSpreadElement(element);
      assignOr(context, rest ? element.expression : element, rest ? memory.own(items.slice(i)) : items[i], scope);
    });
    return value;
  }
  if (ts.isObjectLiteralExpression(place)) {
    for (const field of place.properties) {
      if (ts.isShorthandPropertyAssignment(field)) {
        const given = context.property(value, field.name.text, field);
        const used =
          given === undefined && field.objectAssignmentInitializer
            ? context.evaluate(field.objectAssignmentInitializer, scope)
            : given;
        assign(context, field.name, used, scope);
      } else if (ts.isPropertyAssignment(field))
        assignOr(context, field.initializer, context.property(value, keyOf(context, field.name, scope), field), scope);
      else throw refuse(context, field, 'JL313', 'the rest of an object cannot be taken in compiled code', 'Name the fields.');
    }
    return value;
  }
  throw refuse(
    context,
    place,
    'JL318',
    `‘${textOf(context, place)}’ cannot be assigned in compiled code`,
    'Assign variables and fields.',
  );
}

/** `target = default` inside a pattern. */
function assignOr(context: Context, target: TS.Expression, value: unknown, scope: Scope): void {
  if (ts.isBinaryExpression(target) && target.operatorToken.kind === ts.SyntaxKind.EqualsToken)
    assign(context, target.left, value === undefined ? context.evaluate(target.right, scope) : value, scope);
  else assign(context, target, value, scope);
}

function setProperty(context: Context, of: unknown, key: string | number, value: unknown, at: TS.Node): void {
  const { memory } = context;
  if (typeof of !== 'object' || of === null)
    throw refuse(context, at, 'JL318', `a field of ${typeName(of)} is assigned`, 'Assign variables.');
  if (memory.owns(of)) {
    Reflect.set(of, key, value);
    return;
  }
  if (of instanceof Tensor) throw refuse(context, at, 'JL318', 'a field of a tensor is assigned', 'Make another tensor.');
  const before = memory.field(of, key);
  const now: unknown = before ? before.value : Reflect.get(of, key);
  if (of instanceof Module) {
    if (!(now instanceof Buffer) && !isState(of, key)) {
      const declared = key in of;
      throw refuse(
        context,
        at,
        'JL501',
        `‘${String(key)}’ is ${declared ? 'not declared as state' : 'not declared'}, so the module would not keep it`,
        'Declare it with `@jit.state`, make it a Buffer, or return the value.',
      );
    }
  } else {
    throw refuse(
      context,
      at,
      'JL605',
      `‘${textOf(context, at)}’ changes an object outside the compiled code`,
      'Return the value instead.',
    );
  }
  memory.assign(memory.standIn(of, key, now), value);
}

export function property(context: Context, of: unknown, key: PropertyKey, at: TS.Node): unknown {
  if (of === undefined || of === null)
    throw refuse(
      context,
      at,
      'JL103',
      `‘${textOf(context, at)}’ reads a field of ${String(of)}`,
      'Test it before, or write `?.`.',
    );
  if (of instanceof Unknown) {
    throw refuse(
      context,
      at,
      'JL307',
      `‘${String(key)}’ of a ${of.type} that is known only at run time`,
      'Compute with operators and Math.',
    );
  }
  if (typeof of !== 'object' && typeof of !== 'function') return (Object(of) as Record<PropertyKey, unknown>)[key];
  if (of instanceof Closure) throw refuse(context, at, 'JL304', `‘${String(key)}’ of a function`, 'Call it.');
  if (context.memory.owns(of)) return usable(context, Reflect.get(of, key), String(key), at);
  const stand = context.memory.field(of, key);
  if (stand) return usable(context, stand.value, String(key), at);
  if (of instanceof Tensor) return Reflect.get(of, key) as unknown;
  return fromObject(context, of, key, at);
}

function fromObject(context: Context, of: object, key: PropertyKey, at: TS.Node): unknown {
  if (key === 'size' && isCollection(of)) return sizeOf(context, of);
  const owner = ownerOf(of, key);
  const descriptor = owner && Object.getOwnPropertyDescriptor(owner, key);
  if (descriptor?.get) {
    const own = owner && typeof key === 'string' && !isLibraryFunction(owner.constructor);
    const getter = own ? closureOf(owner, key, 'get') : undefined;
    // The code's own getters are looked at; the library's may be run.
    return getter ? context.invoke(getter, of, [], at) : (Reflect.get(of, key) as unknown);
  }
  const value: unknown = Reflect.get(of, key);
  if (of instanceof Module && isState(of, key)) return context.state(of, key, value);
  // What a class says is the same for good.
  if (owner === of || owner === undefined) context.assume(of, key, value);
  return value;
}

/** Who has the property: the object itself, or one that it inherits from. */
export function ownerOf(of: object, key: PropertyKey): object | undefined {
  let at: object | null = of;
  while (at && !Object.hasOwn(at, key)) at = Object.getPrototypeOf(at) as object | null;
  return at ?? undefined;
}
