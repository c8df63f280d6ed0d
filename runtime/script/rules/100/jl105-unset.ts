/** @file JL105: a variable is set on some paths only. In: a declaration without a value. Out: a report at the first read, with the `if`. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, fix, imported } from '../../edits.ts';
import { assignedIn, readsOf, type Gap } from '../../facts/flow.ts';
import { ts, type TS } from '../../typescript.ts';

export const unset = defineRule({
  code: 'JL105',
  title: 'A variable is set on some paths only',
  severity: 'error',
  doc: `
    In a graph, an \`if\` has outputs, and each arm must give every one of them. A variable that only one arm sets has no value
    on the other path. Give it one before the \`if\`, or in both arms.`,
  pytorch: '“y is not defined in the false branch.”',
  on: 'VariableDeclaration',
  check(node, context) {
    const { types } = context;
    const list = node.parent;
    if (
      node.initializer ||
      !ts.isIdentifier(node.name) ||
      !ts.isVariableDeclarationList(list) ||
      !ts.isVariableStatement(list.parent)
    )
      return;
    const block = list.parent.parent;
    if (!ts.isBlock(block) && !ts.isCaseOrDefaultClause(block)) return;
    const symbol = types.symbol(node.name);
    if (!symbol || (node.type && types.isOptional(types.checker.getTypeFromTypeNode(node.type)))) return;
    const name = node.name.text;
    const isIt = (id: TS.Node): boolean => ts.isIdentifier(id) && id.text === name && types.symbol(id) === symbol;
    const sets = (at: TS.Node): boolean => isIt(at) && isAssigned(at);
    const at = block.statements.indexOf(list.parent);
    for (let i = at + 1; i < block.statements.length; i++) {
      const statement = block.statements[i];
      if (!statement) return;
      const before = assignedIn(block.statements.slice(at + 1, i), sets);
      if (before === 'always') return;
      const read = readsOf(statement, isIt).find((id) => !isAssigned(id) && !precededBySet(id, statement, sets));
      if (!read) continue;
      if (before === 'never') context.report(read, `‘${name}’ is not set yet`, { fixes: [initialise(node, context)] });
      else
        context.report(read, `‘${name}’ is not set when ${when(before, context)}`, {
          related: [{ message: 'set on one path here', node: before.at }],
          fixes: [initialise(node, context)],
        });
      return;
    }
  },
  bad: [
    `let z: Tensor;
    if (n > 1) z = x;
    return z;
         //^ JL105: ‘z’ is not set when ‘n > 1’ is false`,
    `let z: Tensor;
    if (n > 1) {
      const w = x.relu();
    } else {
      z = x;
    }
    return z.add(1);
         //^ JL105: ‘z’ is not set when ‘n > 1’ is true`,
  ],
  good: [
    `let z: Tensor;
    if (n > 1) z = x;
    else z = y;
    return z;`,
    `let z = y;
    if (n > 1) z = x;
    return z;`,
    `let z: Tensor;
    if (n > 1) z = x;
    else throw new Error('n is too small');
    return z;`,
  ],
});

function isAssigned(node: TS.Node): boolean {
  const { parent } = node;
  if (ts.isBinaryExpression(parent)) return parent.left === node && parent.operatorToken.kind === ts.SyntaxKind.EqualsToken;
  return ts.isArrayLiteralExpression(parent) && ts.isBinaryExpression(parent.parent) && parent.parent.left === parent;
}

/** Whether the same inner path sets it first. */
function precededBySet(id: TS.Node, statement: TS.Node, sets: (node: TS.Node) => boolean): boolean {
  for (let at: TS.Node = id; at !== statement; at = at.parent) {
    const { parent } = at;
    if (!ts.isBlock(parent) && !ts.isCaseOrDefaultClause(parent)) continue;
    const index = parent.statements.indexOf(at as TS.Statement);
    if (assignedIn(parent.statements.slice(0, index), sets) === 'always') return true;
  }
  return false;
}

function when({ at, arm }: Gap, context: Context): string {
  if (ts.isIfStatement(at)) return `‘${context.text(at.expression)}’ is ${arm === 'else' ? 'false' : 'true'}`;
  if (ts.isSwitchStatement(at)) return `no case fits ‘${context.text(at.expression)}’`;
  return `the loop on line ${context.line(at)} does not turn`;
}

function initialise(node: TS.VariableDeclaration, context: Context) {
  const { types } = context;
  const type = node.type && types.checker.getTypeFromTypeNode(node.type);
  if (!node.type || !type) return undefined;
  const kind = types.kind(type);
  if (kind === 'number') return fix('Start with 0', after(node.type, ' = 0'));
  if (kind === 'boolean') return fix('Start with false', after(node.type, ' = false'));
  if (kind !== 'tensor') return undefined;
  const made = imported(context.file, 'tensor');
  return fix(`Start with ${made.text}(0)`, after(node.type, ` = ${made.text}(0)`), made.changes);
}
