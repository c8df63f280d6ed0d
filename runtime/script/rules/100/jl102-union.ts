/** @file JL102: a value that may be of two kinds is used without asking which. In: uses. Out: one report for each use. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, statementBefore } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { useOf } from '../../facts/uses.ts';
import { isConst, variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const unionValue = defineRule({
  code: 'JL102',
  title: 'A value of several types',
  severity: 'error',
  doc: `
    A value in a graph has one type. \`Tensor | number\` has two, so it must be narrowed before it is used: with \`typeof\`,
    \`instanceof\`, or a comparison with \`undefined\`. Narrowing is TypeScript's own.`,
  pytorch: 'TorchScript has `Union` and refines it with `isinstance`.',
  on: ['Identifier', 'PropertyAccessExpression'],
  check(node, context) {
    const { types } = context;
    if (!useOf(node, context)) return;
    const type = context.type(node);
    if (!type.isUnion() || types.kinds(type).length < 2 || decidedElsewhere(node, context)) return;
    context.report(node, `‘${context.text(node)}’ may be ${types.describeAll(type)} here`, {
      fixes: [guard(node, type, context)],
    });
  },
  bad: [
    `const add = (v: Tensor, r: Tensor | number) => v.add(r);
                                                       //^ JL102: ‘r’ may be number or Tensor here
    return add(x, n);`,
    `export const f = jit.script((x: Tensor, p: number | string) => x.mul(Number(p)).add(p as number > 0 ? 1 : 2));
    export const g = jit.script((x: Tensor, r: Tensor | number) => {
      const y = x.relu();
      return y.mul(r);
                 //^ JL102
    });`,
  ],
  good: [
    `const add = (v: Tensor, r: Tensor | number) => (typeof r === 'number' ? v.add(r * 2) : v.add(r.mul(2)));
    return add(x, n);`,
    `const shift = (v: Tensor, r?: Tensor) => (r === undefined ? v : v.add(r));
    return shift(x, y);`,
  ],
});

/** Variables that get their kinds from branches are reported there. */
function decidedElsewhere(node: TS.Expression, context: Context): boolean {
  const declaration = ts.isIdentifier(node) ? variableOf(context.types.symbol(node)) : undefined;
  if (!declaration || !ts.isVariableDeclaration(declaration)) return false;
  return (
    !isConst(declaration) || (declaration.initializer !== undefined && ts.isConditionalExpression(bare(declaration.initializer)))
  );
}

function guard(node: TS.Expression, type: TS.Type, { types }: Context) {
  const kinds = types.kinds(type);
  const plain = kinds.find((k) => k === 'number' || k === 'string' || k === 'boolean');
  if (!plain || kinds.length !== 2 || !ts.isIdentifier(node)) return undefined;
  const name = node.text;
  const changes = statementBefore(node, `if (typeof ${name} === '${plain}') throw new TypeError('${name} is a ${plain}');`);
  return changes && fix(`Ask first whether it is a ${plain}`, changes);
}
