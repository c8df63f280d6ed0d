/** @file JL317: the type checker is overruled. In: `x!` and `x as T`. Out: a hint, and an error where the kinds differ. */
import { defineRule } from '../../define.ts';
import { fix, imported, replace } from '../../edits.ts';
import { ts, type TS } from '../../typescript.ts';

export const casts = defineRule({
  code: 'JL317',
  title: 'A cast hides a type',
  severity: 'error',
  doc: `
    \`x as T\` changes nothing when it runs, so a cast between unrelated types makes a graph that computes with the wrong kind of
    value. Convert instead: \`tensor(n)\`, \`await t.item()\`. \`x!\` is allowed, and is checked when the graph runs.`,
  pytorch: '`typing.cast` is ignored; `assert x is not None` refines.',
  on: ['AsExpression', 'NonNullExpression'],
  check(node, context) {
    const { types } = context;
    if (ts.isNonNullExpression(node)) {
      if (types.isOptional(context.type(node.expression)) && ts.isPropertyAccessExpression(node.expression))
        context.report(node, `‘${context.text(node)}’ is checked when the graph runs`, { severity: 'hint' });
      return;
    }
    if (node.type.getText() === 'const' || ts.isAsExpression(node.parent)) return;
    const value = uncast(node);
    const [from, to] = [types.of(value), types.of(node)];
    const [a, b] = [types.kinds(from), types.kinds(to)];
    const unknown = [...a, ...b].some((k) => k === 'any' || k === 'other');
    const lists = [...a, ...b].every((k) => k === 'array' || k === 'tuple' || k === 'record');
    if (unknown || lists || a.length === 0 || b.length === 0 || b.some((k) => a.includes(k))) return;
    const made = imported(context.file, 'tensor');
    const convert = a[0] === 'number' && b[0] === 'tensor';
    context.report(node, `‘as ${context.text(node.type)}’ hides a ${types.describeAll(from)}`, {
      fixes: [convert ? fix('Make it a tensor', replace(node, `${made.text}(${value.getText()})`), made.changes) : undefined],
    });
  },
  bad: [
    `const z = n as unknown as Tensor;
            //^^^^^^^^^^^^^^^^^^^^^^ JL317: ‘as Tensor’ hides a number
    return x.add(z);`,
    `const k = x as unknown as number;
            //^^^^^^^^^^^^^^^^^^^^^^ JL317: ‘as number’ hides a Tensor
    return y.mul(k);`,
  ],
  good: [
    `const pair = x.chunk(2) as [Tensor, Tensor];
    return pair[0].add(pair[1]);`,
    `const mode = 'mean' as const;
    const k = n as 1 | 2;
    return x.mul(k);`,
  ],
});

/** What stands before all casts. */
function uncast(node: TS.AsExpression): TS.Expression {
  let at: TS.Expression = node;
  while (ts.isAsExpression(at) || ts.isParenthesizedExpression(at) || ts.isNonNullExpression(at)) at = at.expression;
  return at;
}
