/** @file Expressions. In: a node and the variables around it. Out: its value, as far as it is known; ops are recorded on the way. */
import { Tensor } from '../../tensor/tensor.ts';
import { ts, type TS } from '../typescript.ts';
import { bare } from '../facts/functions.ts';
import { refuse, textOf, type Context } from './context.ts';
import { assign, read } from './access.ts';
import { compute, scalarType } from './flow.ts';
import { isConst } from './fixed.ts';
import { elementsOf } from './iterate.ts';
import { binary, choose, condition, not, unary } from './operators.ts';
import { keyOf } from './patterns.ts';
import { construct } from './construct.ts';
import { Closure, isRecord, Pending, typeName, Unknown } from './values.ts';
import type { Scope } from './memory.ts';

type Visit<N extends TS.Node> = (context: Context, node: N, scope: Scope) => unknown;
type AnyVisit = Visit<TS.Node>;

/** By kind, made when the first expression is looked at. */
function visitors(): Map<TS.SyntaxKind, AnyVisit> {
  const K = ts.SyntaxKind;
  const on = <N extends TS.Node>(kind: TS.SyntaxKind, visit: Visit<N>) => [kind, visit as AnyVisit] as const;
  return new Map([
    on(K.NumericLiteral, (_, node: TS.NumericLiteral) => Number(node.text)),
    on(K.StringLiteral, (_, node: TS.StringLiteral) => node.text),
    on(K.NoSubstitutionTemplateLiteral, (_, node: TS.NoSubstitutionTemplateLiteral) => node.text),
    on(K.TrueKeyword, () => true),
    on(K.FalseKeyword, () => false),
    on(K.NullKeyword, () => null),
    on(K.Identifier, (context, node: TS.Identifier, scope) => read(context, node, scope)),
    on(K.ThisKeyword, (context) => context.activation.self),
    on(K.ParenthesizedExpression, (context, node: TS.ParenthesizedExpression, scope) => context.evaluate(node.expression, scope)),
    on(K.AsExpression, (context, node: TS.AsExpression, scope) => {
      const value = context.evaluate(node.expression, scope);
      return isConst(node) ? context.memory.fix(value) : value;
    }),
    on(K.SatisfiesExpression, (context, node: TS.SatisfiesExpression, scope) => context.evaluate(node.expression, scope)),
    on(K.TypeAssertionExpression, (context, node: TS.TypeAssertion, scope) => context.evaluate(node.expression, scope)),
    on(K.NonNullExpression, present),
    on(K.TemplateExpression, template),
    on(K.ArrayLiteralExpression, arrayLiteral),
    on(K.ObjectLiteralExpression, objectLiteral),
    on(K.PropertyAccessExpression, chained),
    on(K.ElementAccessExpression, chained),
    on(K.CallExpression, chained),
    on(K.NewExpression, construct),
    on(K.ArrowFunction, closure),
    on(K.FunctionExpression, closure),
    on(K.ConditionalExpression, (context, node: TS.ConditionalExpression, scope) =>
      choose(
        context,
        condition(context, context.evaluate(node.condition, scope), node.condition, scope),
        () => context.evaluate(node.whenTrue, scope),
        () => context.evaluate(node.whenFalse, scope),
        node,
      ),
    ),
    on(K.BinaryExpression, binaryExpression),
    on(K.PrefixUnaryExpression, prefix),
    on(K.PostfixUnaryExpression, (context, node: TS.PostfixUnaryExpression, scope) => {
      const before = context.evaluate(node.operand, scope);
      assign(context, node.operand, binary(context, step(node.operator), before, 1, node), scope);
      return before;
    }),
    on(K.AwaitExpression, (context, node: TS.AwaitExpression, scope) => {
      const value = context.evaluate(node.expression, scope);
      return value instanceof Pending ? value.result : value;
    }),
    on(K.TypeOfExpression, (context, node: TS.TypeOfExpression, scope) => {
      const value = context.evaluate(node.expression, scope);
      return value instanceof Unknown ? value.type : value instanceof Closure ? 'function' : typeof value;
    }),
    on(K.VoidExpression, (context, node: TS.VoidExpression, scope) => void context.evaluate(node.expression, scope)),
  ]);
}

let table: Map<TS.SyntaxKind, AnyVisit> | undefined;

export function evaluate(context: Context, node: TS.Expression, scope: Scope): unknown {
  const visit = (table ??= visitors()).get(node.kind);
  if (visit) return visit(context, node, scope);
  throw refuse(context, node, ...unsupported(node));
}

function unsupported(node: TS.Expression): [code: string, message: string, hint: string] {
  if (ts.isYieldExpression(node)) return ['JL218', '`yield` suspends in the middle of a graph', 'Return an array.'];
  if (ts.isDeleteExpression(node)) return ['JL318', '`delete` changes the form of an object', 'Make a new object.'];
  if (node.kind === ts.SyntaxKind.RegularExpressionLiteral)
    return ['JL320', 'a regular expression has no place in a graph', 'Work on text outside the compiled function.'];
  if (node.kind === ts.SyntaxKind.BigIntLiteral) return ['JL110', 'a bigint has no place in a graph', 'Use a number.'];
  if (ts.isClassExpression(node)) return ['JL111', 'a class is made in the middle of a graph', 'Declare it outside.'];
  return ['JL307', 'this expression cannot be compiled', 'Write it with calls and operators.'];
}

/** `x!`: checked, since the type was overruled. */
const present: Visit<TS.NonNullExpression> = (context, node, scope) => {
  const value = context.evaluate(node.expression, scope);
  if (value !== undefined && value !== null) return value;
  throw refuse(context, node, 'JL317', `‘${textOf(context, node.expression)}’ is ${String(value)} here`, 'Test it before.');
};

const template: Visit<TS.TemplateExpression> = (context, node, scope) => {
  const texts = [node.head.text, ...node.templateSpans.map((s) => s.literal.text)];
  const values = node.templateSpans.map((span) => {
    const value = context.evaluate(span.expression, scope);
    if (value instanceof Tensor)
      throw refuse(
        context,
        span.expression,
        'JL315',
        `‘${textOf(context, span.expression)}’ is a tensor: its text says nothing of its value`,
        'Read it: `${await x.item()}`.',
      );
    if (value !== undefined && value !== null && scalarType(value) === undefined)
      throw refuse(
        context,
        span.expression,
        'JL315',
        `the text of ${typeName(value)} has no place in a graph`,
        'Use its numbers.',
      );
    return value;
  });
  const joined = (...given: unknown[]) => texts.reduce((all, text, i) => all + String(given[i - 1]) + text);
  return compute(context, 'text', values, joined, { type: 'string' });
};

const arrayLiteral: Visit<TS.ArrayLiteralExpression> = (context, node, scope) =>
  context.memory.own(
    node.elements.flatMap((element): unknown[] =>
      ts.isSpreadElement(element)
        ? elementsOf(context, context.evaluate(element.expression, scope), element)
        : [ts.isOmittedExpression(element) ? undefined : context.evaluate(element, scope)],
    ),
  );

const objectLiteral: Visit<TS.ObjectLiteralExpression> = (context, node, scope) => {
  const made: Record<string, unknown> = {};
  for (const property of node.properties) {
    if (ts.isPropertyAssignment(property))
      made[keyOf(context, property.name, scope)] = context.evaluate(property.initializer, scope);
    else if (ts.isShorthandPropertyAssignment(property)) made[property.name.text] = read(context, property.name, scope);
    else if (ts.isSpreadAssignment(property)) {
      const from = context.evaluate(property.expression, scope);
      if (from === undefined || from === null) continue;
      if (!isRecord(from)) throw refuse(context, property, 'JL314', `${typeName(from)} cannot be spread`, 'Name its fields.');
      for (const key of Object.keys(from)) made[key] = context.property(from, key, property);
    } else if (ts.isMethodDeclaration(property))
      made[keyOf(context, property.name, scope)] = new Closure(property, context.activation.code, scope, made);
    else throw refuse(context, property, 'JL318', 'accessors hide effects', 'Use a plain field.');
  }
  return context.memory.own(made);
};

const closure: Visit<TS.ArrowFunction | TS.FunctionExpression> = (context, node, scope) => {
  if (node.asteriskToken)
    throw refuse(context, node, 'JL218', 'a generator suspends in the middle of a graph', 'Return an array.');
  return new Closure(
    node,
    context.activation.code,
    scope,
    ts.isArrowFunction(node) ? context.activation.self : undefined,
    context.activation.home,
  );
};

/** `a?.b.c()`: when `a` is nothing, so is the whole chain. */
const NOTHING = Symbol('nothing');

const chained: Visit<TS.Expression> = (context, node, scope) => {
  const value = link(context, node, scope);
  return value === NOTHING ? undefined : value;
};

function link(context: Context, node: TS.Expression, scope: Scope): unknown {
  const inner = (x: TS.Expression) => (isLink(x) ? link(context, x, scope) : context.evaluate(x, scope));
  const skips = (of: unknown, dot: unknown) => dot !== undefined && (of === undefined || of === null);
  if (ts.isPropertyAccessExpression(node)) {
    const of = target(context, node.expression, inner);
    return of === NOTHING || skips(of, node.questionDotToken) ? NOTHING : property(context, node, of);
  }
  if (ts.isElementAccessExpression(node)) {
    const of = target(context, node.expression, inner);
    return of === NOTHING || skips(of, node.questionDotToken) ? NOTHING : element(context, node, of, scope);
  }
  if (ts.isCallExpression(node)) return call(context, node, scope, inner, skips);
  return context.evaluate(node, scope);
}

function isLink(node: TS.Expression): boolean {
  return ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node) || ts.isCallExpression(node);
}

/** `super` is where the method's home inherits from. */
function target(context: Context, node: TS.Expression, inner: (x: TS.Expression) => unknown): unknown {
  if (node.kind !== ts.SyntaxKind.SuperKeyword) return inner(node);
  return Object.getPrototypeOf(context.activation.home ?? {}) as unknown;
}

function property(context: Context, node: TS.PropertyAccessExpression, of: unknown): unknown {
  if (ts.isPrivateIdentifier(node.name)) {
    throw refuse(
      context,
      node.name,
      'JL307',
      `‘${node.name.text}’ can be read by its class alone`,
      'Write `private` instead of `#`.',
    );
  }
  if (of === undefined || of === null) throw missing(context, node, of);
  return context.property(of, node.name.text, node);
}

function missing(context: Context, node: TS.PropertyAccessExpression | TS.ElementAccessExpression, of: unknown) {
  const text = textOf(context, node.expression);
  return refuse(
    context,
    node.expression,
    'JL103',
    `‘${text}’ is ${String(of)} when line ${context.frames()[0]?.line ?? 0} runs`,
    'Test it before, or write `?.`.',
  );
}

function element(context: Context, node: TS.ElementAccessExpression, of: unknown, scope: Scope): unknown {
  if (of === undefined || of === null) throw missing(context, node, of);
  const key = context.evaluate(node.argumentExpression, scope);
  if (key instanceof Unknown) {
    const text = textOf(context, node.argumentExpression);
    throw refuse(
      context,
      node.argumentExpression,
      'JL312',
      `which element ‘${text}’ names is only known at run time`,
      'Use a known index, or `x.select(0, i)` on a stacked tensor.',
    );
  }
  if (typeof key !== 'string' && typeof key !== 'number')
    throw refuse(context, node.argumentExpression, 'JL312', `${typeName(key)} as an index`, 'Use a number or a string.');
  if (of instanceof Tensor && typeof key === 'number')
    throw refuse(context, node, 'JL312', 'a tensor has no elements by index', 'Use `x.select(0, i)`.');
  return context.property(of, key, node);
}

function call(
  context: Context,
  node: TS.CallExpression,
  scope: Scope,
  inner: (x: TS.Expression) => unknown,
  skips: (of: unknown, dot: unknown) => boolean,
): unknown {
  const callee = bare(node.expression);
  if (callee.kind === ts.SyntaxKind.ImportKeyword)
    throw refuse(context, node, 'JL311', 'a dynamic import brings code that is not known yet', 'Import it at the top.');
  let self: unknown;
  let fn: unknown;
  if (ts.isPropertyAccessExpression(callee) || ts.isElementAccessExpression(callee)) {
    const of = target(context, callee.expression, inner);
    if (of === NOTHING || skips(of, callee.questionDotToken)) return NOTHING;
    self = callee.expression.kind === ts.SyntaxKind.SuperKeyword ? context.activation.self : of;
    fn = ts.isPropertyAccessExpression(callee) ? property(context, callee, of) : element(context, callee, of, scope);
  } else fn = inner(callee);
  if (fn === NOTHING || skips(fn, node.questionDotToken)) return NOTHING;
  const args = node.arguments.flatMap((argument): unknown[] =>
    ts.isSpreadElement(argument)
      ? elementsOf(context, context.evaluate(argument.expression, scope), argument)
      : [context.evaluate(argument, scope)],
  );
  return context.call(fn, self, args, node);
}

const binaryExpression: Visit<TS.BinaryExpression> = (context, node, scope) => {
  const { left, right, operatorToken } = node;
  const text = operatorToken.getText(context.activation.code.tree);
  const value = () => context.evaluate(right, scope);
  if (text === '=') return assign(context, left, value(), scope);
  if (text === ',') {
    context.evaluate(left, scope);
    return value();
  }
  const lazy = /^(&&|\|\||\?\?)=?$/.exec(text);
  const a = context.evaluate(left, scope);
  if (lazy) {
    const chosen = shortCircuit(context, lazy[1] ?? '', a, value, node, scope);
    return text.endsWith('=') ? assign(context, left, chosen, scope) : chosen;
  }
  if (text === 'instanceof') return Reflect.apply(Function.prototype[Symbol.hasInstance], value() as object, [a]);
  if (text === 'in') return known(context, a, node, (key) => key in (value() as object));
  const assigns = text.endsWith('=') && !['==', '!=', '===', '!==', '<=', '>='].includes(text);
  const result = binary(context, assigns ? text.slice(0, -1) : text, a, value(), node);
  return assigns ? assign(context, left, result, scope) : result;
};

function known(context: Context, key: unknown, at: TS.Node, then: (key: string) => unknown): unknown {
  if (typeof key === 'string' || typeof key === 'number') return then(String(key));
  throw refuse(context, at, 'JL312', 'which field is meant is only known at run time', 'Use a literal key.');
}

function shortCircuit(
  context: Context,
  text: string,
  a: unknown,
  b: () => unknown,
  node: TS.BinaryExpression,
  scope: Scope,
): unknown {
  if (text === '??') return a === undefined || a === null ? b() : a;
  const c = condition(context, a, node.left, scope);
  // `x || y` of numbers picks one of them, as the choice does.
  return text === '&&' ? choose(context, c, b, () => a, node) : choose(context, c, () => a, b, node);
}

const prefix: Visit<TS.PrefixUnaryExpression> = (context, node, scope) => {
  const value = context.evaluate(node.operand, scope);
  const { PlusPlusToken, MinusMinusToken } = ts.SyntaxKind;
  if (node.operator === PlusPlusToken || node.operator === MinusMinusToken)
    return assign(context, node.operand, binary(context, step(node.operator), value, 1, node), scope);
  const text = ts.tokenToString(node.operator) ?? '';
  return text === '!' ? not(context, value, node.operand, scope) : unary(context, text, value, node);
};

function step(operator: TS.SyntaxKind): string {
  return operator === ts.SyntaxKind.PlusPlusToken ? '+' : '-';
}
