/**
 * @file Random programs with control flow. In: a seed. Out: a tree of statements, and the TypeScript that it stands for: an async
 * function of two tensors of one shape and a whole number in a tensor. Values stay small whole numbers, so that every device and
 * every order of computing gives exactly the same, and no branch hangs on rounding.
 */
import { cat, range, stack, type Tensor } from 'jitlens';
import { Random } from './random.ts';

export type Statement =
  | { readonly kind: 'line'; readonly text: string }
  | {
      readonly kind: 'block';
      readonly head: string;
      readonly body: readonly Statement[];
      readonly otherwise?: readonly Statement[];
    };

export interface FlowProgram {
  readonly shape: readonly number[];
  readonly body: readonly Statement[];
}

export type FlowFunction = (x: Tensor, y: Tensor, n: Tensor) => Promise<unknown>;

/** The budget ends it whatever else the condition says; it is spent first in each turn, and no shrinking takes that away. */
const WHILE = 'while (budget > 0 && ';
/** What is assigned, and what is written into: of one that is both, nobody knows which tensor is written, and that is refused. */
const CHANGED = ['a', 'b'];
const WRITTEN = ['x', 'c'];
const SMALL = '.clamp(-8, 8)';

/** What may be named where a statement stands. */
interface Scope {
  readonly views: readonly string[];
  readonly counters: readonly string[];
  readonly depth: number;
  readonly inLoop: boolean;
}

class Writer {
  private names = 0;

  constructor(
    private readonly random: Random,
    private readonly shape: readonly number[],
  ) {}

  block(scope: Scope, length: number): Statement[] {
    let now = scope;
    return Array.from({ length }, () => {
      const statement = this.statement(now);
      const declared = statement.kind === 'line' ? /^const (v\d+)/.exec(statement.text)?.[1] : undefined;
      if (declared !== undefined) now = { ...now, views: [...now.views, declared] };
      return statement;
    });
  }

  private statement(scope: Scope): Statement {
    const { random } = this;
    const deep = scope.depth >= 2;
    switch (random.whole(0, deep ? 6 : 10)) {
      case 0:
      case 1:
      case 2:
        return line(`${random.pick(CHANGED)} = ${this.value(scope)}${SMALL};`);
      case 3:
        return line(
          `${this.target(scope)}.${random.pick(['add_', 'sub_', 'mul_', 'copy_'])}(${this.operand(scope)}).clamp_(-8, 8);`,
        );
      case 4:
        return line(`const v${this.names++} = ${random.pick(WRITTEN)}${this.view()};`);
      case 5:
        return line(`k += ${random.pick(['1', '2', ...scope.counters])};`);
      case 6: {
        const leave = scope.inLoop ? random.pick(['break', 'continue', 'return [a, b, c, k]']) : 'return [b, a, c, k]';
        return { kind: 'block', head: `if (${this.condition(scope)})`, body: [line(`${leave};`)] };
      }
      case 7:
      case 8: {
        const inner = { ...scope, depth: scope.depth + 1 };
        const body = this.block(inner, random.whole(1, 3));
        const otherwise = random.whole(0, 1) === 0 ? this.block(inner, random.whole(1, 2)) : undefined;
        return { kind: 'block', head: `if (${this.condition(scope)})`, body, otherwise };
      }
      case 9: {
        const counter = `i${this.names++}`;
        const turns = random.pick(['2', '3', '5', 'await n.item()', 'await n.item()', scope.depth === 0 ? '70' : '4']);
        const inner = { ...scope, depth: scope.depth + 1, inLoop: true, counters: [...scope.counters, counter] };
        return { kind: 'block', head: `for (const ${counter} of range(${turns}))`, body: this.block(inner, random.whole(1, 3)) };
      }
      default: {
        const inner = { ...scope, depth: scope.depth + 1, inLoop: true };
        return { kind: 'block', head: `${WHILE}${this.comparison()})`, body: this.block(inner, random.whole(1, 3)) };
      }
    }
  }

  private variable(): string {
    return this.random.pick([...CHANGED, ...WRITTEN]);
  }

  /** A tensor of the programs' shape. */
  private value(scope: Scope): string {
    const { random } = this;
    const [p, q, dim] = [this.variable(), this.variable(), this.dim()];
    switch (random.whole(0, 8)) {
      case 0:
        return `${p}.${random.pick(['neg', 'abs', 'relu', 'clone', 'sign'])}()`;
      case 1:
      case 2:
        return `${p}.${random.pick(['add', 'sub', 'mul', 'maximum', 'minimum'])}(${q})`;
      case 3:
        return `${p}.${random.pick(['add', 'sub', 'mul'])}(${this.number(scope)})`;
      case 4:
        return `${p}.sub(${q}.${random.pick(['sum', 'amax', 'amin'])}({ dim: ${dim}, keepdim: true }))`;
      case 5:
        return `${p}.flip([${dim}]).add(${q}${this.view()})`;
      case 6:
        return `${p}.gt(${q}).where(${p}, ${q}.mul(0.5).floor())`;
      case 7:
        return `stack([${p}, ${q}, ${p}]).sum({ dim: 0 })`;
      default:
        return `cat([${p}, ${q}], ${dim}).slice(${dim}, 1, ${(this.shape[dim] ?? 1) + 1})`;
    }
  }

  /** A view that can be added to a tensor of the shape. */
  private view(): string {
    const dim = this.dim();
    const size = this.shape[dim] ?? 1;
    const from = this.random.whole(0, size - 1);
    return this.random.whole(0, 1) === 0 ? `.slice(${dim}, ${from}, ${from + 1})` : `.select(${dim}, ${from}).unsqueeze(${dim})`;
  }

  private target({ views }: Scope): string {
    const name = this.random.pick([...WRITTEN, ...views]);
    return views.includes(name) || this.random.whole(0, 2) === 0 ? name : `${name}${this.view()}`;
  }

  /** One number or a tensor that fits whatever is written. */
  private operand(scope: Scope): string {
    if (this.random.whole(0, 2) === 0) return this.number(scope);
    return `${this.variable()}.${this.random.pick(['amax', 'amin', 'sum'])}()`;
  }

  private number({ counters }: Scope): string {
    return this.random.pick(['1', '-1', '2', '0', 'k', ...counters, ...counters]);
  }

  private condition(scope: Scope): string {
    const { random } = this;
    const limit = random.whole(-3, 6);
    switch (random.whole(0, 4)) {
      case 0:
        return `k % ${random.whole(2, 3)} === 0`;
      case 1:
        return `${random.pick(['k', ...scope.counters])} < ${random.whole(0, 4)}`;
      case 2:
        return `await ${this.variable()}.gt(${limit}).${random.pick(['any', 'all'])}().item()`;
      default:
        return this.comparison();
    }
  }

  private comparison(): string {
    const { random } = this;
    const value = `${this.variable()}.${random.pick(['sum', 'amax', 'amin'])}()`;
    return `(await ${value}.item()) ${random.pick(['<', '>', '!=='])} ${random.whole(-3, 6)}`;
  }

  private dim(): number {
    return this.random.whole(0, this.shape.length - 1);
  }
}

const line = (text: string): Statement => ({ kind: 'line', text });

export function randomFlow(seed: number): FlowProgram {
  const random = new Random(seed);
  const shape = Array.from({ length: random.whole(1, 2) }, () => random.whole(2, 3));
  const scope: Scope = { views: [], counters: [], depth: 0, inLoop: false };
  return { shape, body: new Writer(random, shape).block(scope, random.whole(3, 7)) };
}

/** As somebody would write it. */
export function flowText({ body }: FlowProgram): string {
  const lines = [
    'let a = x.mul(1);',
    'let b = y.mul(2);',
    'const c = y.add(1);',
    'let k = 0;',
    'let budget = 6;',
    ...body.flatMap(linesOf),
    'return [a, b, c, k];',
  ];
  return `async (x, y, n) => {\n${lines.map((text) => `  ${text}\n`).join('')}}`;
}

function linesOf(statement: Statement): string[] {
  if (statement.kind === 'line') return [statement.text];
  const inner = (body: readonly Statement[]) => body.flatMap(linesOf).map((text) => `  ${text}`);
  const { head, body, otherwise } = statement;
  const first = head.startsWith(WHILE) ? ['  budget -= 1;'] : [];
  return [`${head} {`, ...first, ...inner(body), ...(otherwise ? ['} else {', ...inner(otherwise)] : []), '}'];
}

export function flowFunction(program: FlowProgram): FlowFunction {
  // eslint-disable-next-line @typescript-eslint/no-implied-eval -- made here, and the compiler takes a function by its text
  const made = new Function('cat', 'range', 'stack', `return ${flowText(program)};`) as (...names: unknown[]) => FlowFunction;
  return made(cat, range, stack);
}

/** Programs with one statement less, or with what a block holds in its place; the shorter ones first. */
export function* smaller(program: FlowProgram): Generator<FlowProgram> {
  for (const body of reduced(program.body)) yield { ...program, body };
}

function* reduced(body: readonly Statement[]): Generator<readonly Statement[]> {
  for (const [i, statement] of body.entries()) {
    const replaced = (by: readonly Statement[]) => [...body.slice(0, i), ...by, ...body.slice(i + 1)];
    yield replaced([]);
    if (statement.kind === 'line') continue;
    yield replaced(statement.body);
    if (statement.otherwise) yield replaced([{ ...statement, otherwise: undefined }]);
    for (const inner of reduced(statement.body)) yield replaced([{ ...statement, body: inner }]);
    for (const inner of reduced(statement.otherwise ?? [])) yield replaced([{ ...statement, otherwise: inner }]);
  }
}
