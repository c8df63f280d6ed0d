/** @file JL209: a tensor where a truth value is wanted, in any code. In: conditions, `!`, `&&`, `===`, `switch`. Out: a report at it. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { asyncAt, fix, operand, replace } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { isCondition, isLogical } from '../../facts/uses.ts';
import { isConst, variableOf } from '../../facts/writes.ts';
import { signOf } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const ALWAYS = 'this condition is always true: a Tensor is an object. Did you mean its value?';

export const tensorTruth = defineRule({
  code: 'JL209',
  title: 'A tensor is taken for a truth value',
  severity: 'error',
  everywhere: true,
  doc: `
    To JavaScript a Tensor is an object, and an object is always true. \`if (t)\`, \`!t\`, \`t && u\`, \`t ? a : b\` and \`t === u\`
    never look at the elements, and nothing can be done about it when the code runs: TypeScript says nothing either. Read the
    value, \`(await t.item()) !== 0\`, or stay on the GPU with \`t.where(a, b)\`, \`t.logicalAnd(u)\`, \`t.eq(u)\`.`,
  pytorch: 'A one-element tensor has a truth value there; others raise an error.',
  on: [
    'IfStatement',
    'WhileStatement',
    'DoStatement',
    'ForStatement',
    'ConditionalExpression',
    'PrefixUnaryExpression',
    'BinaryExpression',
    'SwitchStatement',
  ],
  check(node, context) {
    if (ts.isIfStatement(node) || ts.isWhileStatement(node) || ts.isDoStatement(node)) truth(node.expression, context, ALWAYS);
    else if (ts.isForStatement(node)) truth(node.condition, context, ALWAYS);
    else if (ts.isConditionalExpression(node)) truth(node.condition, context, ALWAYS, select(node, context));
    else if (ts.isPrefixUnaryExpression(node)) {
      if (node.operator !== ts.SyntaxKind.ExclamationToken || !isTruthTaken(node.operand, context)) return;
      const not = isCondition(node) ? undefined : fix('Use logicalNot()', replace(node, `${operand(node.operand)}.logicalNot()`));
      truth(node.operand, context, 'this is always false: a Tensor is an object. Did you mean its value?', not);
    } else if (ts.isSwitchStatement(node))
      truth(node.expression, context, 'no case can fit: a Tensor is an object. Did you mean its value?');
    else if (ts.isBinaryExpression(node)) binary(node, context);
  },
  bad: [
    `if (x.gt(0)) return y;
      //^^^^^^^ JL209: this condition is always true: a Tensor is an object. Did you mean its value?
    return x;`,
    `const both = x && y;
               //^ JL209
    return both;`,
    `const z = x ? y : x.neg();
            //^ JL209
    return z;`,
    `const off = !x;
               //^ JL209: this is always false
    return x;`,
    `import { rand } from 'jitlens';
    const t = rand([1]);
    while (t) {
         //^ JL209
      t.add_(1);
    }`,
    `import { type Tensor } from 'jitlens';
    export function same(a: Tensor, b: Tensor): boolean {
      return a === b;
           //^^^^^^^ JL209: this compares objects, not elements
    }`,
    `import { type Tensor } from 'jitlens';
    export function describe(a: Tensor): string {
      switch (a) {
            //^ JL209
        default:
          return 'other';
      }
    }`,
  ],
  good: [
    `if ((await x.sum().item()) > 0) return y;
    return x;`,
    `import { type Tensor } from 'jitlens';
    export function shifted(x: Tensor, bias?: Tensor, cache?: Map<string, Tensor>): Tensor {
      const known = cache?.get('x');
      if (known) return known;
      if (!bias || bias === undefined) return x;
      return x.add(bias);
    }`,
    `import { type Tensor } from 'jitlens';
    export const first = (list: Tensor[], other: Tensor | null): Tensor | undefined => {
      if (list[0]) return list[0];
      return other === null ? undefined : (other ?? undefined);
    };`,
  ],
});

/** Whether an expression is a tensor for sure, whose truth says nothing. */
function isTruthTaken(node: TS.Expression, context: Context): boolean {
  const { types } = context;
  const at = bare(node);
  if (ts.isBinaryExpression(at) && (isLogical(at) || at.operatorToken.kind === ts.SyntaxKind.EqualsToken)) return false;
  // An element that is not there is not in its type.
  if (ts.isElementAccessExpression(at) && !types.checker.isTupleType(types.of(at.expression))) return false;
  if (
    ts.isPropertyAccessExpression(at) &&
    types.of(at.expression).getStringIndexType() &&
    !types.of(at.expression).getProperty(at.name.text)
  )
    return false;
  if (ts.isIdentifier(at) && mayBeMissing(at, context)) return false;
  if (!types.isTensor(types.of(node))) return false;
  return types.strictNulls || ts.isCallExpression(at) || ts.isNewExpression(at) || isMade(at, context);
}

/** `const [a] = list`, and `const a = list[0]`: the list may be shorter. */
function mayBeMissing(node: TS.Identifier, { types }: Context): boolean {
  const declaration = variableOf(types.symbol(node));
  if (!declaration) return false;
  if (ts.isBindingElement(declaration)) {
    const source = types.of(declaration.parent);
    return ts.isArrayBindingPattern(declaration.parent)
      ? !types.checker.isTupleType(source)
      : source.getStringIndexType() !== undefined;
  }
  const value = declaration.initializer && bare(declaration.initializer);
  if (!value)
    return ts.isVariableDeclaration(declaration) && !ts.isForOfStatement(declaration.parent.parent) && !declaration.type;
  if (ts.isElementAccessExpression(value)) return !types.checker.isTupleType(types.of(value.expression));
  return false;
}

/** Without strict null checks in the user's settings, only what was just made is there for sure. */
function isMade(node: TS.Expression, { types }: Context): boolean {
  const declaration = ts.isIdentifier(node) ? variableOf(types.symbol(node)) : undefined;
  if (!declaration) return false;
  const value = declaration.initializer && bare(declaration.initializer);
  return isConst(declaration) && value !== undefined && (ts.isCallExpression(value) || ts.isNewExpression(value));
}

function truth(node: TS.Expression | undefined, context: Context, message: string, first?: ReturnType<typeof fix>): void {
  if (node && isTruthTaken(node, context)) context.report(node, message, { fixes: [first, first ? undefined : read(node)] });
}

function binary(node: TS.BinaryExpression, context: Context): void {
  const { types } = context;
  const sign = signOf(node);
  if (sign === '&&' || sign === '||') {
    const both = types.isTensor(types.of(node.left)) && types.isTensor(types.of(node.right)) && !isCondition(node);
    const name = sign === '&&' ? 'logicalAnd' : 'logicalOr';
    const op = both ? fix(`Use ${name}()`, replace(node, `${operand(node.left)}.${name}(${node.right.getText()})`)) : undefined;
    const what = sign === '&&' ? 'this always gives the right side' : 'this always gives the left side';
    truth(node.left, context, `${what}: a Tensor is an object. Did you mean its value?`, op);
    if (isCondition(node)) truth(node.right, context, ALWAYS);
    return;
  }
  if (!/^[!=]==?$/.test(sign)) return;
  const [a, b] = [types.of(node.left), types.of(node.right)];
  const tensors = [a, b].filter((t) => types.isTensor(t)).length;
  const other = types.isTensor(a) ? b : a;
  // A comparison with what may be undefined asks whether it is there.
  if (tensors === 0 || types.isOptional(other) || types.kinds(other).some((k) => k === 'any' || k === 'other')) return;
  const name = sign.startsWith('!') ? 'ne' : 'eq';
  const [left, right] = types.isTensor(a) ? [node.left, node.right] : [node.right, node.left];
  const numeric = tensors === 2 || types.kinds(other).every((k) => k === 'number');
  context.report(node, 'this compares objects, not elements. Did you mean their values?', {
    fixes: [
      isCondition(node) || wantsBoolean(node, context) || !numeric
        ? undefined
        : fix(`Use ${name}()`, replace(node, `${operand(left)}.${name}(${right.getText()})`)),
      (isCondition(node) || wantsBoolean(node, context)) && numeric ? compared(node, left, right, name) : undefined,
    ],
  });
}

/** Whether a tensor of truth values would not do where it stands. */
function wantsBoolean(node: TS.Expression, { types }: Context): boolean {
  const wanted = types.checker.getContextualType(node);
  return wanted !== undefined && types.kinds(wanted).join() === 'boolean';
}

/** `(await t.item()) !== 0`. */
function read(node: TS.Expression) {
  const changes = asyncAt(node);
  return (
    changes && fix('Read its value: `(await ….item()) !== 0`', changes, replace(node, `(await ${operand(node)}.item()) !== 0`))
  );
}

function compared(node: TS.Expression, left: TS.Expression, right: TS.Expression, name: string) {
  const changes = asyncAt(node);
  const text = `(await ${operand(left)}.${name}(${right.getText()}).all().item()) !== 0`;
  return changes && fix(`Read whether all are: \`.${name}(…).all()\``, changes, replace(node, text));
}

/** `t.where(a, b)`, where both arms can be computed. */
function select(node: TS.ConditionalExpression, { types }: Context) {
  const arms = [node.whenTrue, node.whenFalse].map((arm) => types.of(arm));
  const fit = arms.every((t) => types.isTensor(t) || types.kind(t) === 'number') && arms.some((t) => types.isTensor(t));
  if (!fit) return undefined;
  return fix(
    'Use where()',
    replace(node, `${operand(node.condition)}.where(${node.whenTrue.getText()}, ${node.whenFalse.getText()})`),
  );
}
