/** @file Where control goes. In: statements. Out: whether a path leaves them, and whether every path sets a variable. */
import { ts, type TS } from '../typescript.ts';
import { isFunctionLike, isLoop, some, walk } from './functions.ts';

/** Whether the statement after this one is never reached from it. */
export function leaves(node: TS.Statement): boolean {
  if (ts.isReturnStatement(node) || ts.isThrowStatement(node) || ts.isBreakStatement(node) || ts.isContinueStatement(node))
    return true;
  if (ts.isBlock(node)) return node.statements.some(leaves);
  if (ts.isIfStatement(node)) return node.elseStatement !== undefined && leaves(node.thenStatement) && leaves(node.elseStatement);
  if (ts.isWhileStatement(node) && node.expression.kind === ts.SyntaxKind.TrueKeyword) return !exits(node).breaks;
  if (ts.isForStatement(node) && !node.condition) return !exits(node).breaks;
  if (ts.isTryStatement(node)) return leaves(node.tryBlock) && (!node.catchClause || leaves(node.catchClause.block));
  if (ts.isSwitchStatement(node)) {
    const { clauses } = node.caseBlock;
    const last = clauses.at(-1);
    return (
      clauses.some((c) => ts.isDefaultClause(c)) && !exits(node).breaks && last !== undefined && last.statements.some(leaves)
    );
  }
  return false;
}

/** Which ways out of a loop or switch there are: its own breaks, and those that leave more than it. */
export function exits(loop: TS.Statement): { readonly breaks: boolean; readonly returns: boolean } {
  let breaks = false;
  let returns = false;
  const visit = (node: TS.Node, inner: boolean): void => {
    if (isFunctionLike(node)) return;
    if (ts.isReturnStatement(node) || ts.isThrowStatement(node)) returns = true;
    if (ts.isBreakStatement(node) && (node.label !== undefined || !inner)) breaks = true;
    const deeper = inner || (node !== loop && (isLoop(node) || ts.isSwitchStatement(node)));
    ts.forEachChild(node, (child) => visit(child, deeper));
  };
  visit(loop, false);
  return { breaks, returns };
}

/** The `return`s of a function itself, in order. */
export function returnsOf(fn: TS.Node): TS.ReturnStatement[] {
  const returns: TS.ReturnStatement[] = [];
  walk(fn, (node) => {
    if (ts.isReturnStatement(node)) returns.push(node);
    // No statement stands below these but in other functions.
    return !(
      ts.isReturnStatement(node) ||
      ts.isExpressionStatement(node) ||
      ts.isVariableStatement(node) ||
      isFunctionLike(node)
    );
  });
  return returns;
}

/** Loops around a node within a function, the innermost first. */
export function loopsAround(node: TS.Node, root: TS.Node): TS.IterationStatement[] {
  const loops: TS.IterationStatement[] = [];
  for (let at = node; at !== root && (at.parent as TS.Node | undefined); at = at.parent) {
    const { parent } = at;
    if (isLoop(parent) && parent.statement === at) loops.push(parent);
    if ((ts.isWhileStatement(parent) || ts.isDoStatement(parent)) && parent.expression === at) loops.push(parent);
    if (ts.isForStatement(parent) && (parent.condition === at || parent.incrementor === at)) loops.push(parent);
  }
  return loops;
}

/** Where a statement list may still leave a variable unset: the `if` and the arm that misses it. */
export interface Gap {
  readonly at: TS.IfStatement | TS.SwitchStatement | TS.IterationStatement;
  /** The arm that does not set it. */
  readonly arm: 'then' | 'else' | 'body';
}

export type Assigned = 'always' | 'never' | Gap;

/** Whether every path through statements sets a variable; `sets` says whether an expression does. */
export function assignedIn(statements: readonly TS.Statement[], sets: (node: TS.Node) => boolean): Assigned {
  let gap: Assigned = 'never';
  for (const statement of statements) {
    const one = assignedBy(statement, sets);
    if (one === 'always' || leaves(statement)) return 'always';
    if (one !== 'never') gap = one;
  }
  return gap;
}

function assignedBy(node: TS.Statement, sets: (node: TS.Node) => boolean): Assigned {
  if (ts.isBlock(node)) return assignedIn(node.statements, sets);
  if (ts.isIfStatement(node)) {
    if (sets(node.expression)) return 'always';
    const yes = assignedIn([node.thenStatement], sets);
    const no = node.elseStatement ? assignedIn([node.elseStatement], sets) : 'never';
    if (yes === 'always' && no === 'always') return 'always';
    if (yes === 'never' && no === 'never') return 'never';
    if (yes === 'always') return typeof no === 'object' ? no : { at: node, arm: 'else' };
    if (no === 'always') return typeof yes === 'object' ? yes : { at: node, arm: 'then' };
    return typeof yes === 'object' ? yes : no;
  }
  if (ts.isDoStatement(node)) return assignedIn([node.statement], sets);
  if (isLoop(node)) {
    if (
      ts.isWhileStatement(node) &&
      node.expression.kind === ts.SyntaxKind.TrueKeyword &&
      assignedIn([node.statement], sets) === 'always'
    )
      return 'always';
    return some(node.statement, sets) ? { at: node, arm: 'body' } : 'never';
  }
  if (ts.isSwitchStatement(node)) {
    const { clauses } = node.caseBlock;
    const arms = clauses.filter((c, i) => c.statements.length > 0 || i === clauses.length - 1);
    const all = arms.map((c) =>
      assignedIn(
        c.statements.filter((s) => !ts.isBreakStatement(s)),
        sets,
      ),
    );
    if (all.every((a) => a === 'never')) return 'never';
    return all.every((a) => a === 'always') && clauses.some((c) => ts.isDefaultClause(c)) ? 'always' : { at: node, arm: 'else' };
  }
  if (ts.isTryStatement(node)) return assignedIn([node.tryBlock], sets);
  if (ts.isFunctionDeclaration(node)) return 'never';
  return some(node, sets) ? 'always' : 'never';
}

/** Identifiers below a node that read a variable. */
export function readsOf(root: TS.Node, isIt: (name: TS.Identifier) => boolean): TS.Identifier[] {
  const reads: TS.Identifier[] = [];
  walk(root, (node) => {
    if (ts.isIdentifier(node) && !isTarget(node) && !isDeclared(node) && isIt(node)) reads.push(node);
    return true;
  });
  return reads;
}

/** Whether a name is only written here. */
export function isTarget(node: TS.Node): boolean {
  const { parent } = node;
  return ts.isBinaryExpression(parent) && parent.left === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
}

function isDeclared(node: TS.Identifier): boolean {
  const { parent } = node;
  return (
    ((ts.isVariableDeclaration(parent) || ts.isParameter(parent) || ts.isBindingElement(parent)) && parent.name === node) ||
    (ts.isPropertyAccessExpression(parent) && parent.name === node)
  );
}
