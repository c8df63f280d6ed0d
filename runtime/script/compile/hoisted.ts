/**
 * @file Variables that `var` declares in a block: JavaScript keeps them for the whole function, the compiler for the block. In: a
 * function. Out: an error where the two could be told apart.
 */
import { ts, type TS } from '../typescript.ts';
import { refuse, type Context } from './context.ts';

const told = new WeakSet<TS.Node>();

export function refuseHoisted(context: Context, fn: TS.FunctionLikeDeclaration): void {
  const { body } = fn;
  if (!body || told.has(body)) return;
  const inBlocks = new Map<string, { readonly declared: TS.VariableDeclaration; readonly block: TS.Node }[]>();
  within(body, (node) => {
    if (!ts.isVariableDeclaration(node) || !ts.isIdentifier(node.name) || !isVar(node)) return;
    const block = blockOf(node);
    if (block === body) return;
    const { text } = node.name;
    inBlocks.set(text, [...(inBlocks.get(text) ?? []), { declared: node, block }]);
  });
  if (inBlocks.size > 0) {
    const uses = (node: TS.Node): void => {
      const all = ts.isIdentifier(node) && isVariable(node) ? inBlocks.get(node.text) : undefined;
      const outside = all && !all.some(({ block }) => contains(block, node));
      const [first] = all ?? [];
      if (first && (outside || isEmpty(first.declared))) throw seenOutside(context, node, first.declared);
      ts.forEachChild(node, uses);
    };
    ts.forEachChild(fn, uses);
  }
  told.add(body);
}

function seenOutside(context: Context, at: TS.Node, declared: TS.VariableDeclaration) {
  const { line } = declared.getSourceFile().getLineAndCharacterOfPosition(declared.getStart());
  return refuse(
    context,
    at,
    'JL105',
    `‘${declared.name.getText()}’ is declared by \`var\` in a block at line ${line + 1}, and has a value outside of it too`,
    'Declare it with `let`, before the block if it is used after it.',
  );
}

const isVar = (node: TS.VariableDeclaration): boolean =>
  ts.isVariableDeclarationList(node.parent) && (node.parent.flags & ts.NodeFlags.BlockScoped) === 0;

/** From one turn of a loop to the next it keeps what it had. */
const isEmpty = ({ initializer, parent }: TS.VariableDeclaration): boolean =>
  !initializer && !ts.isForOfStatement(parent.parent) && !ts.isForInStatement(parent.parent);

/** The statement, or the block, that the compiler keeps it for. */
function blockOf(node: TS.VariableDeclaration): TS.Node {
  const list = node.parent.parent;
  return ts.isVariableStatement(list) ? list.parent : list;
}

/** Whether it is the name of a variable, and not of a property. */
function isVariable(node: TS.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  return !(ts.isPropertyAssignment(parent) && parent.name === node) && !ts.isTypeNode(parent) && !ts.isPropertySignature(parent);
}

function contains(block: TS.Node, node: TS.Node): boolean {
  return block.pos <= node.pos && node.end <= block.end;
}

/** All nodes of a function's own, not those of functions in it. */
function within(node: TS.Node, visit: (node: TS.Node) => void): void {
  ts.forEachChild(node, (child) => {
    visit(child);
    if (!ts.isFunctionLike(child)) within(child, visit);
  });
}
