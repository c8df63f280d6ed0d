/**
 * @file Loop statements. In: the statement. Out: its turns one after the other when they are known and few, else a Loop step: in blocks
 * of eight turns with the rest in a second one. A loop that needs its counter while it is compiled is unrolled however long it is.
 */
import { JitLensError } from '../../errors.ts';
import { Module } from '../../nn/module.ts';
import { ts, type TS } from '../typescript.ts';
import { bare, some, walk } from '../facts/functions.ts';
import { isAssignment, isStep } from '../facts/writes.ts';
import { refuse, textOf, type Completion, type Context } from './context.ts';
import { afterLoop, CONTINUE, compute, isWhole, NORMAL, resume } from './flow.ts';
import { checkFixed } from './fixed.ts';
import { loop } from './loop.ts';
import { Scope } from './memory.ts';
import { binary, condition } from './operators.ts';
import { variables } from './patterns.ts';
import { assign } from './access.ts';
import { elementsOf } from './iterate.ts';
import { Conflict, Range, Unknown } from './values.ts';

/** Counted loops of fewer turns, with fewer calls in the body than this, are unrolled fully. */
const FEW_TURNS = 64;
const FEW_CALLS = 32;
/** Turns in one block of a longer loop. */
const BLOCK = 8;
/** So many turns of a `while` that is known are a loop that does not end. */
const MOST_TURNS = 1_000_000;
/** The same for one that is left on a condition known only at run time: each turn stands inside the one before. */
const MOST_NESTED = 256;

const NORMALLY: Completion = { kind: 'normal' };

/** Runs the turns from `i` on; what ends a turn in several ways rules those after it. */
function turns(context: Context, count: number, turn: (i: number) => Completion, start = 0): Completion {
  for (let i = start; i < count; i++) {
    const end = turn(i);
    if (end.kind === 'normal' || end.kind === 'continue') continue;
    if (end.kind !== 'mixed') return end;
    if (i + 1 === count || (!end.codes.has(NORMAL) && !end.codes.has(CONTINUE))) return end;
    return resume(context, end, [NORMAL, CONTINUE], () => turns(context, count, turn, i + 1));
  }
  return NORMALLY;
}

export function forOfLoop(context: Context, node: TS.ForOfStatement, scope: Scope): Completion {
  if (node.awaitModifier)
    throw refuse(context, node, 'JL218', 'an async iterator suspends in the middle of a graph', 'Walk a list.');
  const walked = context.evaluate(node.expression, scope);
  const turn = (item: unknown): Completion => {
    const inner = new Scope(scope);
    const { initializer } = node;
    if (ts.isVariableDeclarationList(initializer)) {
      const [declared] = initializer.declarations;
      if (declared) context.bind(declared.name, item, inner, (initializer.flags & ts.NodeFlags.Const) !== 0);
    } else assign(context, initializer, item, scope);
    return context.statement(node.statement, inner);
  };
  return context.from(node, () => {
    if (walked instanceof Range) return counted(context, node, walked, turn);
    checkFixed(context, node.expression, walked, scope);
    const items = elementsOf(context, walked, node.expression);
    return afterLoop(
      context,
      turns(context, items.length, (i) => {
        const end = turn(items[i]);
        unchanged(context, node, walked, items);
        return end;
      }),
    );
  });
}

/** JavaScript looks at the list anew at each turn; here it is what it was before the first. */
function unchanged(context: Context, node: TS.ForOfStatement, walked: unknown, items: readonly unknown[]): void {
  if (!Array.isArray(walked) || (walked.length === items.length && items.every((item, i) => Object.is(item, walked[i])))) return;
  const text = textOf(context, node.expression);
  throw refuse(context, node.expression, 'JL204', `the loop changes ‘${text}’ while walking it`, 'Push to a new array.');
}

/** A loop over start, start + step, … before end. */
function counted(context: Context, node: TS.IterationStatement, range: Range, turn: (n: unknown) => Completion): Completion {
  const { start, step } = range;
  const scaled = (i: number | Unknown) => (step === 1 ? i : binary(context, '*', i, step, node));
  const at = (i: number | Unknown) => (start === 0 ? scaled(i) : binary(context, '+', start, scaled(i), node));
  const trips = tripsOf(context, range);
  const calls = callsIn(node.statement);
  const few = !(trips instanceof Unknown) && trips < FEW_TURNS && calls <= FEW_CALLS;
  // Without calls there are no ops, and nothing to keep small.
  const kept = context.builder && context.keeps !== 'none' && calls > 0;
  if (context.builder && context.keeps === 'all' && (kept || trips instanceof Unknown))
    return loop(context, { trips, body: (i) => turn(at(i)) });
  if (trips instanceof Unknown || (kept && !few)) return blocks(context, node, trips, (i) => turn(at(i)));
  return afterLoop(
    context,
    turns(context, trips, (i) => turn(at(i))),
  );
}

/** In blocks of eight turns, then one by one; by single turns when one of them may leave the loop. */
function blocks(
  context: Context,
  node: TS.IterationStatement,
  trips: number | Unknown,
  turn: (i: number | Unknown) => Completion,
): Completion {
  const whole = { type: 'number', integer: true } as const;
  const number = (name: string, inputs: readonly unknown[], run: (...x: number[]) => number) =>
    compute(context, name, inputs, run, whole) as number | Unknown;
  const eights = leaves(node.statement) ? 0 : number('blocks', [trips], (n = 0) => Math.floor(n / BLOCK));
  if (eights === 0) return loop(context, { trips, body: turn });
  const block = (i: Unknown) => {
    const first = number('*', [i, BLOCK], (a = 0, b = 0) => a * b);
    return turns(context, BLOCK, (k) => turn(number('+', [first, k], (a = 0, b = 0) => a + b)));
  };
  loop(context, { trips: eights, body: block, copies: BLOCK });
  const rest = number('rest', [trips], (n = 0) => n % BLOCK);
  if (rest === 0) return NORMALLY;
  const done = number('*', [eights, BLOCK], (a = 0, b = 0) => a * b);
  return loop(context, { trips: rest, body: (i) => turn(number('+', [done, i], (a = 0, b = 0) => a + b)) });
}

/** Whether a turn may end the loop: by a `break` of its own, or by returning. */
function leaves(body: TS.Node): boolean {
  const visit = (at: TS.Node, inner: boolean): boolean => {
    if (ts.isFunctionLike(at)) return false;
    if (ts.isReturnStatement(at)) return true;
    if (ts.isBreakStatement(at)) return !inner;
    const catches = inner || ts.isIterationStatement(at, false) || ts.isSwitchStatement(at);
    return ts.forEachChild(at, (child) => visit(child, catches) || undefined) ?? false;
  };
  return visit(body, false);
}

function tripsOf(context: Context, { start, end, step }: Range): number | Unknown {
  const count = (a: number, b: number, by: number) => {
    if (by === 0) throw new JitLensError('JLT-RANGE', 'range() with a step of 0 never ends', 'Use a step other than 0.');
    return Math.max(0, Math.ceil((b - a) / by));
  };
  return compute(context, 'trips', [start, end, step], count, { type: 'number', integer: true }) as number | Unknown;
}

function callsIn(node: TS.Node): number {
  let count = 0;
  walk(node, (at) => {
    if (ts.isCallExpression(at)) count++;
    return true;
  });
  return count;
}

export function whileLoop(context: Context, node: TS.WhileStatement, scope: Scope): Completion {
  return asLongAs(context, {
    node,
    test: () => context.evaluate(node.expression, scope),
    tested: node.expression,
    scope,
    body: () => context.statement(node.statement, scope),
  });
}

export function doLoop(context: Context, node: TS.DoStatement, scope: Scope): Completion {
  const body = () => context.statement(node.statement, scope);
  const test = () => context.evaluate(node.expression, scope);
  // The first turn stands before the loop.
  const first = body();
  const rest = () => asLongAs(context, { node, test, tested: node.expression, scope, body });
  if (first.kind === 'normal' || first.kind === 'continue') return rest();
  if (first.kind !== 'mixed') return afterLoop(context, first);
  return afterLoop(context, resume(context, first, [NORMAL, CONTINUE], rest));
}

/** A loop whose turns are not counted. */
interface Lasting {
  readonly node: TS.IterationStatement;
  readonly test: () => unknown;
  readonly tested: TS.Node;
  readonly scope: Scope;
  /** What a `for` does after each turn. */
  readonly after?: () => void;
  readonly body: () => Completion;
}

/** Turn by turn while the condition is known, then as a loop. */
function asLongAs(context: Context, loops: Lasting, count = 0): Completion {
  const { node, test, tested, scope, body } = loops;
  const after = () => loops.after?.();
  const holds = () => condition(context, test(), tested, scope);
  for (let i = count; ; i++) {
    if (i > (count > 0 ? MOST_NESTED : MOST_TURNS))
      throw refuse(
        context,
        node,
        'JL220',
        `this loop does not end (${i} turns)`,
        'Change what it tests, or leave it with `break`.',
      );
    // While a run is followed, looking is reading.
    const first = context.builder ? peek(context, holds) : holds();
    if (first === false) return NORMALLY;
    const mayLeave = i === 0 && context.builder && context.keeps !== 'none' && leaves(node.statement);
    if (first instanceof Unknown || (mayLeave && peek(context, body).kind === 'mixed'))
      return context.from(node, () => kept(context, holds, body, after));
    if (context.builder) test();
    const end = body();
    if (end.kind === 'normal' || end.kind === 'continue') after();
    else if (end.kind !== 'mixed' || (!end.codes.has(NORMAL) && !end.codes.has(CONTINUE))) return afterLoop(context, end);
    else {
      const exit = resume(context, end, [NORMAL, CONTINUE], () => {
        after();
        return asLongAs(context, loops, i + 1);
      });
      return afterLoop(context, exit);
    }
  }
}

function kept(context: Context, holds: () => boolean | Unknown, body: () => Completion, after: () => void): Completion {
  return loop(context, {
    condition: holds,
    body: () => {
      const end = body();
      if (end.kind === 'normal' || end.kind === 'continue') after();
      if (end.kind !== 'mixed' || (!end.codes.has(NORMAL) && !end.codes.has(CONTINUE))) return end;
      return resume(context, end, [NORMAL, CONTINUE], () => {
        after();
        return NORMALLY;
      });
    },
  });
}

/** The value of a test, with nothing left of its having been made. */
function peek<T>(context: Context, look: () => T): T {
  const { builder, memory } = context;
  if (!builder) return memory.explore(look).result;
  return builder.inside(() => memory.explore(look)).result.result;
}

/** `for (let i = a; i < b; i += c)` whose counter nothing else changes is a range; other ones are `while` loops. */
export function forLoop(context: Context, node: TS.ForStatement, scope: Scope): Completion {
  const inner = new Scope(scope);
  if (node.initializer) {
    if (ts.isVariableDeclarationList(node.initializer)) variables(context, node.initializer, inner);
    else context.evaluate(node.initializer, inner);
  }
  const range = canonical(context, node, inner);
  if (range) {
    const { name, counts } = range;
    return context.from(node, () =>
      counted(context, node, counts, (n) => {
        const turn = new Scope(inner);
        context.memory.declare(turn, name, n);
        return context.statement(node.statement, turn);
      }),
    );
  }
  const test = () => (node.condition ? context.evaluate(node.condition, inner) : true);
  const step = () => {
    if (node.incrementor) context.evaluate(node.incrementor, inner);
  };
  const body = () => context.statement(node.statement, inner);
  return asLongAs(context, { node, test, tested: node.condition ?? node, scope: inner, body, after: step });
}

function canonical(context: Context, node: TS.ForStatement, scope: Scope): { name: string; counts: Range } | undefined {
  const { initializer, condition: test, incrementor } = node;
  if (
    !initializer ||
    !ts.isVariableDeclarationList(initializer) ||
    initializer.declarations.length !== 1 ||
    !test ||
    !incrementor
  )
    return undefined;
  const name = initializer.declarations[0]?.name;
  if (!name || !ts.isIdentifier(name) || changes(node.statement, name.text)) return undefined;
  if (!ts.isBinaryExpression(test) || !ts.isIdentifier(test.left) || test.left.text !== name.text) return undefined;
  // A bound that the body may change is looked at again at every turn.
  if (!isSteady(context, bare(test.right), scope, node.statement)) return undefined;
  const by = stepOf(context, incrementor, name.text, scope, node.statement);
  if (by === undefined) return undefined;
  const start = context.evaluate(name, scope) as number | Unknown;
  const end = context.evaluate(test.right, scope) as number | Unknown;
  if (typeof by !== 'number' || by === 0 || start instanceof Conflict) return undefined;
  const operator = test.operatorToken.getText(context.activation.code.tree);
  const up = by > 0;
  if (operator === (up ? '<' : '>')) return { name: name.text, counts: new Range(start, end, by) };
  if (operator === (up ? '<=' : '>=') && isWhole(start) && isWhole(end))
    return { name: name.text, counts: new Range(start, binary(context, '+', end, up ? 1 : -1, node) as number | Unknown, by) };
  return undefined;
}

/** Whether an expression is the same at every turn: numbers, names that the body leaves alone, and sizes of tensors. */
function isSteady(context: Context, node: TS.Expression, scope: Scope, body: TS.Statement): boolean {
  if (ts.isNumericLiteral(node)) return true;
  if (ts.isIdentifier(node)) return !changes(body, node.text);
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) {
    if (!isSteady(context, bare(node.expression), scope, body)) return false;
    const of = context.evaluate(node.expression, scope);
    return typeof of === 'object' && of !== null && !context.memory.owns(of) && !(of instanceof Module);
  }
  return ts.isCallExpression(node) && /\.size$/.test(textOf(context, node.expression));
}

function stepOf(context: Context, node: TS.Expression, name: string, scope: Scope, body: TS.Statement): unknown {
  if (ts.isPrefixUnaryExpression(node) || ts.isPostfixUnaryExpression(node)) {
    if (!ts.isIdentifier(node.operand) || node.operand.text !== name) return undefined;
    return node.operator === ts.SyntaxKind.PlusPlusToken ? 1 : node.operator === ts.SyntaxKind.MinusMinusToken ? -1 : undefined;
  }
  if (!ts.isBinaryExpression(node) || !ts.isIdentifier(node.left) || node.left.text !== name) return undefined;
  const sign =
    node.operatorToken.kind === ts.SyntaxKind.PlusEqualsToken
      ? 1
      : node.operatorToken.kind === ts.SyntaxKind.MinusEqualsToken
        ? -1
        : 0;
  const right = bare(node.right);
  if (sign === 0 || !(ts.isNumericLiteral(right) || (ts.isIdentifier(right) && !changes(body, right.text)))) return undefined;
  const value = context.evaluate(right, scope);
  return typeof value === 'number' && Number.isInteger(value) ? sign * value : undefined;
}

/** Whether a name is assigned somewhere in the code. */
function changes(node: TS.Node, name: string): boolean {
  const isName = (at: TS.Node) => ts.isIdentifier(at) && at.text === name;
  return some(node, (at) => {
    if (ts.isPrefixUnaryExpression(at) || ts.isPostfixUnaryExpression(at)) return isStep(at) && isName(at.operand);
    return ts.isBinaryExpression(at) && isAssignment(at) && mentions(at.left, name);
  });
}

/** As a variable: a field of it is something else. */
function mentions(node: TS.Node, name: string): boolean {
  if (ts.isIdentifier(node)) return node.text === name;
  if (ts.isPropertyAccessExpression(node) || ts.isElementAccessExpression(node)) return false;
  return ts.forEachChild(node, (child) => mentions(child, name) || undefined) ?? false;
}

export function forInLoop(context: Context, node: TS.ForInStatement): never {
  throw refuse(
    context,
    node.initializer,
    'JL206',
    `‘${textOf(context, node.expression)}’ is walked by property name, which a graph does not have`,
    'Walk the values with for…of.',
  );
}
