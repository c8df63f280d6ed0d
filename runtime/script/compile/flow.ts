/**
 * @file Control flow that is decided at run time. In: a condition or a count that is not known, and the code it rules. Out: If
 * and Loop steps; where paths meet, each variable that they changed differently becomes an output.
 */
import { JitLensError } from '../../errors.ts';
import type { Argument, Value } from '../../ir/program.ts';
import { formatShape, sameShape } from '../../tensor/shape.ts';
import { sameLayout, isContiguous } from '../../tensor/layout.ts';
import { Tensor } from '../../tensor/tensor.ts';
import type { Builder, OpenBlock } from './builder.ts';
import type { Completion, Context, Mixed } from './context.ts';
import { restore, type Cell, type Changes } from './memory.ts';
import { Conflict, isRecord, typeName, Unknown } from './values.ts';

export const NORMAL = 0;
export const BREAK = 1;
export const CONTINUE = 2;
export const RETURN = 3;

/** No value: on this path it is not looked at. */
export const ABSENT = Symbol('absent');

const CODES = { normal: NORMAL, break: BREAK, continue: CONTINUE, return: RETURN } as const;

/** A computation on the host; at once when everything is known. */
export function compute(
  context: Context,
  name: string,
  inputs: readonly unknown[],
  run: (...values: never[]) => unknown,
  result: { type: 'number' | 'boolean' | 'string'; integer?: boolean },
): unknown {
  if (!inputs.some((x) => x instanceof Unknown)) return run(...(inputs as never[]));
  const builder = needed(context);
  const output = builder.scalar(result.type);
  builder.before({ kind: 'host', name, compute: run, inputs: inputs.map(scalarArgument), output, stack: context.frames() });
  return new Unknown(output, result.integer);
}

function scalarArgument(x: unknown): Argument {
  return x instanceof Unknown ? x.value : { constant: x };
}

function needed({ builder }: Context): Builder {
  if (builder) return builder;
  throw new JitLensError('JL-BUG', 'something is unknown while the code is followed', 'Please report this.');
}

/** The truth of a value that is known or not. */
export function truth(context: Context, x: Unknown): Unknown {
  if (x.type === 'boolean') return x;
  return compute(context, 'truth', [x], (v: unknown) => Boolean(v), { type: 'boolean' }) as Unknown;
}

/** One of the arms of a fork. */
interface Arm<T> {
  readonly block: OpenBlock;
  readonly result: T;
  readonly changes: Changes;
}

/** Makes values from those of two arms. */
export class Merger {
  readonly outputs: Value[] = [];
  private readonly pairs = new Map<string, Tensor>();

  constructor(
    private readonly context: Context,
    private readonly builder: Builder,
    private readonly arms: readonly [OpenBlock, OpenBlock],
    private readonly lines: readonly [number, number],
  ) {}

  /** The value that is `a` after one arm and `b` after the other. */
  merge(a: unknown, b: unknown): unknown {
    if (Object.is(a, b)) return a;
    if (a === ABSENT || b === ABSENT) return this.partial(a, b);
    if (a instanceof Tensor && b instanceof Tensor) return this.tensors(a, b);
    const type = scalarType(a);
    if (type && type === scalarType(b)) return this.scalars(a, b, type);
    if (Array.isArray(a) && Array.isArray(b)) {
      if (a.length === b.length) return this.context.memory.own(a.map((x, i) => this.merge(x, (b as unknown[])[i])));
      return new Conflict(
        'JL104',
        (name) => `‘${name}’ has ${a.length} elements on one path and ${b.length} on another`,
        'Give it the same length on every path.',
      );
    }
    if (isRecord(a) && isRecord(b) && Object.keys(a).join() === Object.keys(b).join())
      return this.context.memory.own(Object.fromEntries(Object.keys(a).map((key) => [key, this.merge(a[key], b[key])])));
    return this.conflict(a, b);
  }

  /** A value that only one arm has: the other's is never looked at. */
  private partial(a: unknown, b: unknown): unknown {
    const x = a === ABSENT ? b : a;
    if (x instanceof Tensor) return this.output(x, a === ABSENT ? undefined : x, b === ABSENT ? undefined : x);
    if (x instanceof Unknown) return new Unknown(this.value(x.type, a, b), x.integer);
    if (Array.isArray(x))
      return this.context.memory.own(x.map((item: unknown) => (a === ABSENT ? this.partial(a, item) : this.partial(item, b))));
    if (isRecord(x))
      return this.context.memory.own(
        Object.fromEntries(
          Object.entries(x).map(([key, item]) => [key, a === ABSENT ? this.partial(a, item) : this.partial(item, b)]),
        ),
      );
    return x;
  }

  private conflict(a: unknown, b: unknown): Conflict {
    const [first, second] = this.lines;
    if (a instanceof Conflict) return a;
    if (b instanceof Conflict) return b;
    if (a === undefined || b === undefined) {
      return new Conflict(
        'JL105',
        (name) => `‘${name}’ is not set on every path (set in one arm of the branch at line ${first} only)`,
        'Give it a value before the `if`.',
      );
    }
    return new Conflict(
      'JL104',
      (name) => `‘${name}’ is ${typeName(a)} at line ${first} but ${typeName(b)} at line ${second}`,
      'Give it one type on every path; `tensor(4)` makes a number a tensor.',
    );
  }

  private tensors(a: Tensor, b: Tensor): unknown {
    if (!sameShape(a.shape, b.shape) || a.dtype !== b.dtype) {
      const form = (x: Tensor) => `${x.dtype} ${formatShape(x.shape)}`;
      return new Conflict(
        'JL104',
        (name) => `‘${name}’ is ${form(a)} on one path and ${form(b)} on another`,
        'A graph needs one shape and dtype; bring both paths to the same.',
      );
    }
    return this.output(a, a, b);
  }

  private output(like: Tensor, a: Tensor | undefined, b: Tensor | undefined): Tensor {
    const known = a && b && !sameLayout(a.layout, b.layout);
    const plain = (x: Tensor | undefined, arm: OpenBlock) => {
      if (!x || !known || (isContiguous(x.layout) && x.layout.offset === 0)) return x;
      return this.builder.inside(() => x.clone(), arm).result;
    };
    const [x, y] = [plain(a, this.arms[0]), plain(b, this.arms[1])];
    const [p, q] = [this.yielded(x, this.arms[0]), this.yielded(y, this.arms[1])];
    const key = 'id' in p && 'id' in q ? `${p.id}|${q.id}` : undefined;
    const before = key === undefined ? undefined : this.pairs.get(key);
    if (before) return before;
    const model = x ?? y ?? like;
    const { value, tensor } = this.builder.tensor({ shape: model.shape, dtype: model.dtype }, model.layout);
    if ((x?.requiresGrad ?? false) || (y?.requiresGrad ?? false)) tensor.requiresGrad = true;
    this.builder.sharing.join([tensor, x, y].flatMap((t) => (t ? [t.storage] : [])));
    this.add(value, p, q);
    if (key !== undefined) this.pairs.set(key, tensor);
    return tensor;
  }

  private yielded(x: Tensor | undefined, arm: OpenBlock): Argument {
    return x ? this.builder.inside(() => this.builder.argument(x), arm).result : { constant: undefined };
  }

  private scalars(a: unknown, b: unknown, type: 'number' | 'boolean' | 'string'): Unknown {
    return new Unknown(this.value(type, a, b), isWhole(a) && isWhole(b));
  }

  private value(type: 'number' | 'boolean' | 'string', a: unknown, b: unknown): Value {
    const value = this.builder.scalar(type);
    const given = (x: unknown) => scalarArgument(x === ABSENT ? undefined : x);
    this.add(value, given(a), given(b));
    return value;
  }

  private add(value: Value, a: Argument, b: Argument): void {
    this.outputs.push(value);
    this.arms[0].yields.push(a);
    this.arms[1].yields.push(b);
  }
}

export function scalarType(x: unknown): 'number' | 'boolean' | 'string' | undefined {
  if (x instanceof Unknown) return x.type;
  const type = typeof x;
  return type === 'number' || type === 'boolean' || type === 'string' ? type : undefined;
}

export function isWhole(x: unknown): boolean {
  return x instanceof Unknown ? x.integer : Number.isInteger(x);
}

/**
 * Looks at both arms of a condition that is known at run time. `joined` makes the result from the arms' results; `dead` says
 * of an arm's result that nothing after the fork sees its variables.
 */
export function fork<T>(
  context: Context,
  condition: Unknown,
  then: () => T,
  otherwise: () => T,
  joined: (a: T, b: T, merger: Merger) => T,
  dead: (result: T) => boolean = () => false,
): T {
  const builder = needed(context);
  const { memory } = context;
  builder.close();
  const explored = (body: () => T): Arm<T> => {
    const { result: explored, block } = builder.inside(() => memory.explore(body));
    return { block, ...explored };
  };
  const [a, b] = [explored(then), explored(otherwise)];
  const line = context.frames()[0]?.line ?? 0;
  const merger = new Merger(context, builder, [a.block, b.block], [line, line]);
  const [deadA, deadB] = [dead(a.result), dead(b.result)];
  const after = new Map<Cell, unknown>();
  for (const cell of new Set([...a.changes.cells.keys(), ...b.changes.cells.keys()])) {
    const local = cell.age >= 0;
    const valueIn = (arm: Arm<T>, isDead: boolean) =>
      isDead && local ? ABSENT : arm.changes.cells.has(cell) ? arm.changes.cells.get(cell) : cell.value;
    const [x, y] = [valueIn(a, deadA), valueIn(b, deadB)];
    // What was there before needs no output when the only arm that goes on has left it alone.
    if (x === ABSENT && !b.changes.cells.has(cell)) continue;
    if (y === ABSENT && !a.changes.cells.has(cell)) continue;
    if (x === ABSENT && y === ABSENT) continue;
    after.set(cell, merger.merge(x, y));
  }
  const contents = mergedObjects(context, a.changes, b.changes, merger);
  const result = joined(a.result, b.result, merger);
  builder.step({
    kind: 'if',
    condition: condition.value,
    then: a.block,
    otherwise: b.block,
    outputs: merger.outputs,
    stack: context.frames(),
  });
  for (const [cell, value] of after) memory.assign(cell, value);
  for (const [x, entries] of contents) restore(x, entries);
  return result;
}

function mergedObjects(context: Context, a: Changes, b: Changes, merger: Merger): Map<object, [string, unknown][]> {
  const after = new Map<object, [string, unknown][]>();
  for (const x of new Set([...a.objects.keys(), ...b.objects.keys()])) {
    const now: [string, unknown][] = Object.entries(x);
    const [p, q] = [a.objects.get(x) ?? now, b.objects.get(x) ?? now];
    if (p.length !== q.length || p.some(([key], i) => key !== q[i]?.[0])) {
      throw new JitLensError(
        'JL104',
        'a list or record has another length or other fields after one path than after the other',
        'Change it alike on every path, or use `where(...)` on its elements.',
        context.frames()[0],
      );
    }
    after.set(
      x,
      p.map(([key, value], i) => [key, merger.merge(value, q[i]?.[1])]),
    );
  }
  return after;
}

// Completions.

function codesOf(c: Completion): ReadonlySet<number> {
  return c.kind === 'mixed' ? c.codes : c.kind === 'throw' ? new Set() : new Set([CODES[c.kind]]);
}

function codeOf(c: Completion): unknown {
  return c.kind === 'mixed' ? c.code : c.kind === 'throw' ? ABSENT : CODES[c.kind];
}

function valueOf(c: Completion): unknown {
  return 'value' in c && codesOf(c).has(RETURN) ? c.value : ABSENT;
}

/** How a statement ends whose arms end in these ways. */
function joinedCompletion(a: Completion, b: Completion, merger: Merger): Completion {
  if (a.kind === 'throw') return b.kind === 'throw' ? b : passed(b, merger, false);
  if (b.kind === 'throw') return passed(a, merger, true);
  if (a.kind === b.kind && a.kind !== 'mixed' && b.kind !== 'mixed')
    return a.kind === 'return' ? { kind: 'return', value: merger.merge(a.value, valueOf(b)) } : a;
  const [x, y] = [valueOf(a), valueOf(b)];
  return {
    kind: 'mixed',
    code: merger.merge(codeOf(a), codeOf(b)) as Unknown,
    codes: new Set([...codesOf(a), ...codesOf(b)]),
    value: x === ABSENT && y === ABSENT ? undefined : merger.merge(x, y),
  };
}

/** What leaves the arm that is not the one that throws. */
function passed(c: Completion, merger: Merger, first: boolean): Completion {
  const out = (x: unknown) => (first ? merger.merge(x, ABSENT) : merger.merge(ABSENT, x));
  if (c.kind === 'return') return { kind: 'return', value: out(c.value) };
  if (c.kind !== 'mixed') return c;
  return { ...c, code: out(c.code) as Unknown, value: c.codes.has(RETURN) ? out(c.value) : undefined };
}

export function branch(context: Context, condition: Unknown, then: () => Completion, otherwise: () => Completion): Completion {
  const dead = ({ kind }: Completion) => kind === 'return' || kind === 'throw';
  return fork(context, condition, then, otherwise, joinedCompletion, dead);
}

/** Goes on with `rest` where `c` ended in one of `codes`; elsewhere it stays as it is. */
export function resume(context: Context, c: Mixed, codes: readonly number[], rest: () => Completion): Completion {
  if ([...c.codes].every((code) => codes.includes(code))) return rest();
  const [first] = codes;
  const goes = compute(context, codes.length > 1 ? 'goes on' : `is ${first}`, [c.code], (code: number) => codes.includes(code), {
    type: 'boolean',
  });
  return branch(context, goes as Unknown, rest, () => narrowed(c, codes));
}

/** `c` without the ways in which it cannot end here. */
function narrowed(c: Mixed, without: readonly number[]): Completion {
  const left = [...c.codes].filter((code) => !without.includes(code));
  const [only] = left;
  if (left.length > 1) return { ...c, codes: new Set(left) };
  if (only === RETURN) return { kind: 'return', value: c.value };
  return { kind: only === BREAK ? 'break' : only === CONTINUE ? 'continue' : 'normal' };
}

/** How a loop ends whose last turn ended so: leaving it is normal, returning is not. */
export function afterLoop(context: Context, c: Completion): Completion {
  if (c.kind === 'break' || c.kind === 'continue') return { kind: 'normal' };
  if (c.kind !== 'mixed') return c;
  if (!c.codes.has(RETURN)) return { kind: 'normal' };
  const code = compute(context, 'returned', [c.code], (x: number) => (x === RETURN ? RETURN : NORMAL), {
    type: 'number',
    integer: true,
  });
  return { ...c, code: code as Unknown, codes: new Set([NORMAL, RETURN]) };
}
