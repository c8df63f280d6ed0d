/**
 * @file What users say about their code: `@jit.state`, `@jit.unused`, `@jit.ignore`, `@jit.export`, `jit.constant`. In: functions,
 * fields and tensors, as decorators of either kind (TC39 or TypeScript's older ones) see them. Out: questions about them.
 */
import type { Tensor } from '../tensor/tensor.ts';

export type Mark = 'unused' | 'ignore' | 'export';
type AnyFunction = (...args: never[]) => unknown;

const marks = new WeakMap<object, Mark>();
const states = new WeakMap<object, Set<PropertyKey>>();
const constants = new WeakSet<Tensor>();
/** For what compiles a function when it is called: that function. */
const originals = new WeakMap<object, AnyFunction>();

type OldDescriptor = TypedPropertyDescriptor<AnyFunction>;
interface MethodDecorator {
  <F extends AnyFunction>(method: F, context?: ClassMethodDecoratorContext): F;
  (prototype: object, key: string | symbol, descriptor: OldDescriptor): void;
}

/** A decorator for methods; called as a function, it marks what it is given. */
function marking(mark: Mark): MethodDecorator {
  return ((target: object, _context: unknown, descriptor?: OldDescriptor) => {
    marks.set(descriptor?.value ?? target, mark);
    return descriptor ? undefined : target;
  }) as MethodDecorator;
}

/** A method that compiled code may name but not reach: compiling skips it, reaching it is an error. */
export const unused = marking('unused');
/** A method that stays JavaScript: compiled code cannot use what it gives. */
export const ignore = marking('ignore');
/** A method that is compiled although nothing compiled calls it. */
export const exported = marking('export');

export function markOf(fn: object): Mark | undefined {
  return marks.get(fn);
}

interface FieldDecorator {
  (value: undefined, context: ClassFieldDecoratorContext): void;
  (prototype: object, key: string | symbol): void;
}

/** A field of a module that `forward` may assign: part of its state from call to call. */
export const state: FieldDecorator = (target: object | undefined, where: ClassFieldDecoratorContext | string | symbol) => {
  if (typeof where === 'object') {
    where.addInitializer(function (this: unknown) {
      stateOf(this as object).add(where.name);
    });
  } else if (target) stateOf(target).add(where);
};

function stateOf(x: object): Set<PropertyKey> {
  const known = states.get(x) ?? new Set<PropertyKey>();
  states.set(x, known);
  return known;
}

export function isState(of: object, key: PropertyKey): boolean {
  for (let at: object | null = of; at; at = Object.getPrototypeOf(at) as object | null) if (states.get(at)?.has(key)) return true;
  return false;
}

/** Says that a tensor never changes, so that compiled code may hold it. Returns it. */
export function constant<T extends Tensor>(x: T): T {
  constants.add(x);
  return x;
}

export function isConstant(x: Tensor): boolean {
  return constants.has(x);
}

export function standsFor(wrapper: object, original: AnyFunction): void {
  originals.set(wrapper, original);
}

export function originalOf(fn: object): AnyFunction | undefined {
  return originals.get(fn);
}
