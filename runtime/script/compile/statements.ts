/** @file Statements. In: a list of them and the variables around. Out: how they end; what is decided at run time becomes steps. */
import { Tensor } from '../../tensor/tensor.ts';
import { ts, type TS } from '../typescript.ts';
import { frameLine, refuse, type Completion, type Context, type Mixed } from './context.ts';
import { MadeError } from './construct.ts';
import { BREAK, branch, compute, NORMAL, resume } from './flow.ts';
import { doLoop, forInLoop, forLoop, forOfLoop, whileLoop } from './loops.ts';
import { Scope } from './memory.ts';
import { binary, condition } from './operators.ts';
import { variables } from './patterns.ts';
import { Closure, Raised, Unknown } from './values.ts';

const NORMALLY: Completion = { kind: 'normal' };

export function execute(context: Context, statements: readonly TS.Statement[], scope: Scope): Completion {
  for (const statement of statements) {
    if (ts.isFunctionDeclaration(statement) && statement.name && statement.body) {
      const made = new Closure(statement, context.activation.code, scope, undefined, context.activation.home);
      context.memory.declare(scope, statement.name.text, made, true);
    }
  }
  return from(context, statements, 0, scope);
}

function from(context: Context, statements: readonly TS.Statement[], start: number, scope: Scope): Completion {
  for (let i = start; i < statements.length; i++) {
    const node = statements[i];
    if (!node) break;
    const end = raisedOr(() => context.statement(node, scope));
    if (end.kind === 'mixed')
      return i + 1 === statements.length ? end : mixed(context, end, () => from(context, statements, i + 1, scope));
    if (end.kind !== 'normal') return end;
  }
  return NORMALLY;
}

/** An error raised inside an expression ends the statement. */
function raisedOr(body: () => Completion): Completion {
  try {
    return body();
  } catch (error) {
    if (error instanceof Raised) return { kind: 'throw' };
    throw error;
  }
}

/** Goes on where the statement ended normally. */
function mixed(context: Context, end: Mixed, rest: () => Completion): Completion {
  return end.codes.has(NORMAL) ? resume(context, end, [NORMAL], rest) : end;
}

export function statement(context: Context, node: TS.Statement, scope: Scope): Completion {
  if (ts.isExpressionStatement(node)) {
    context.evaluate(node.expression, scope);
    return NORMALLY;
  }
  if (ts.isVariableStatement(node)) {
    variables(context, node.declarationList, scope);
    return NORMALLY;
  }
  if (ts.isReturnStatement(node)) {
    return { kind: 'return', value: node.expression && context.evaluate(node.expression, scope) };
  }
  if (ts.isIfStatement(node)) return ifElse(context, node, scope);
  if (ts.isBlock(node)) return context.execute(node.statements, new Scope(scope));
  if (ts.isForOfStatement(node)) return forOfLoop(context, node, scope);
  if (ts.isForStatement(node)) return forLoop(context, node, scope);
  if (ts.isWhileStatement(node)) return whileLoop(context, node, scope);
  if (ts.isDoStatement(node)) return doLoop(context, node, scope);
  if (ts.isForInStatement(node)) return forInLoop(context, node);
  if (ts.isBreakStatement(node) || ts.isContinueStatement(node)) {
    if (node.label)
      throw refuse(context, node, 'JL213', 'a jump to a label crosses loops', 'Split the inner loop into a function.');
    return { kind: ts.isBreakStatement(node) ? 'break' : 'continue' };
  }
  if (ts.isSwitchStatement(node)) return switchCase(context, node, scope);
  if (ts.isThrowStatement(node)) return raise(context, node, scope);
  if (ts.isEmptyStatement(node) || ts.isFunctionDeclaration(node) || ts.isInterfaceDeclaration(node)) return NORMALLY;
  if (ts.isTypeAliasDeclaration(node) || node.kind === ts.SyntaxKind.DebuggerStatement) return NORMALLY;
  throw refuse(context, node, ...unsupported(node));
}

function unsupported(node: TS.Statement): [code: string, message: string, hint: string] {
  if (ts.isTryStatement(node))
    return [
      'JL216',
      'a graph cannot resume after a fault, so `try` cannot be compiled',
      'Put it around the call of the compiled function.',
    ];
  if (ts.isLabeledStatement(node)) return ['JL213', 'a jump to a label crosses loops', 'Split the inner loop into a function.'];
  if (ts.isClassDeclaration(node)) return ['JL111', 'a class is made in the middle of a graph', 'Declare it outside.'];
  return ['JL311', 'this statement cannot be compiled', 'Write it with `if`, loops and calls.'];
}

function ifElse(context: Context, node: TS.IfStatement, scope: Scope): Completion {
  const c = condition(context, context.evaluate(node.expression, scope), node.expression, scope);
  const then = () => context.statement(node.thenStatement, scope);
  const otherwise = () => (node.elseStatement ? context.statement(node.elseStatement, scope) : NORMALLY);
  if (c instanceof Unknown) return context.from(node, () => branch(context, c, then, otherwise));
  return c ? then() : otherwise();
}

function switchCase(context: Context, node: TS.SwitchStatement, scope: Scope): Completion {
  const value = context.evaluate(node.expression, scope);
  if (value instanceof Tensor)
    throw refuse(
      context,
      node.expression,
      'JL209',
      'a tensor is compared as an object here',
      'Switch on its value: `await x.item()`.',
    );
  const inner = new Scope(scope);
  const { clauses } = node.caseBlock;
  const run = (i: number): Completion => {
    const clause = clauses[i];
    if (!clause) return NORMALLY;
    const end = context.execute(clause.statements, inner);
    if (end.kind === 'mixed' && end.codes.has(NORMAL)) return resume(context, end, [NORMAL], () => run(i + 1));
    return end.kind === 'normal' ? run(i + 1) : end;
  };
  const fallback = clauses.findIndex((c) => ts.isDefaultClause(c));
  const pick = (i: number): Completion => {
    const clause = clauses[i];
    if (!clause) return fallback < 0 ? NORMALLY : run(fallback);
    if (ts.isDefaultClause(clause)) return pick(i + 1);
    const same = binary(context, '===', value, context.evaluate(clause.expression, inner), clause.expression);
    if (same instanceof Unknown)
      return branch(
        context,
        same,
        () => run(i),
        () => pick(i + 1),
      );
    return same === true ? run(i) : pick(i + 1);
  };
  return left(context, pick(0));
}

/** `break` leaves the switch, and no more. */
function left(context: Context, end: Completion): Completion {
  if (end.kind === 'break') return NORMALLY;
  if (end.kind !== 'mixed' || !end.codes.has(BREAK)) return end;
  const codes = new Set([...end.codes].map((code) => (code === BREAK ? NORMAL : code)));
  if (codes.size === 1) return NORMALLY;
  const code = compute(context, 'left', [end.code], (c: number) => (c === BREAK ? NORMAL : c), { type: 'number', integer: true });
  return { ...end, code: code as Unknown, codes };
}

function raise(context: Context, node: TS.ThrowStatement, scope: Scope): Completion {
  const error = context.evaluate(node.expression, scope);
  const frames = context.frames();
  const lines = frames.map(frameLine);
  const place = frames[0];
  const inputs = error instanceof MadeError ? [error.message] : [];
  context.world.effect('raise', inputs, (message) => {
    if (!(error instanceof MadeError)) throw error;
    const made = new error.kind(typeof message === 'string' ? message : undefined);
    made.stack = [`${made.name}: ${made.message}`, ...lines].join('\n');
    throw Object.assign(made, place ? { place } : {});
  });
  return { kind: 'throw' };
}
