/** @file JL108: `[]` of which nothing tells the element type. In: a declaration. Out: a report at its name. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, fix, imported } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const emptyArray = defineRule({
  code: 'JL108',
  title: 'An empty array of unknown elements',
  severity: 'error',
  doc: `
    The element type of \`[]\` comes from its annotation, or from what is pushed into it in the same function. With neither,
    there is no type to give the list.`,
  pytorch: 'An empty list literal is a list of Tensors to TorchScript, whatever it is used for.',
  on: 'VariableDeclaration',
  check(node, context) {
    const { initializer, name, type } = node;
    if (!initializer || type || !ts.isIdentifier(name) || !ts.isArrayLiteralExpression(initializer)) return;
    if (initializer.elements.length > 0) return;
    const kinds = pushed(name, context);
    if (kinds.size === 1) return;
    const tensor = imported(context.file, 'Tensor', true);
    context.report(name, `cannot tell what ‘${name.text}’ holds`, {
      fixes: [
        kinds.size === 0
          ? fix(`Annotate: \`${name.text}: Tensor[]\``, after(name, `: ${tensor.text}[]`), tensor.changes)
          : undefined,
      ],
    });
  },
  bad: [
    `const outs = [];
        //^^^^ JL108: cannot tell what ‘outs’ holds
    return x;`,
    `let seen = [];
      //^^^^ JL108
    const more = seen.length;
    return x.mul(more);`,
  ],
  good: [
    `const outs: Tensor[] = [];
    outs.push(x);
    return stack(outs);`,
    `const outs = [];
    for (const i of range(n)) outs.push(x.mul(i));
    return stack(outs);`,
  ],
});

/** Kinds of what is put into a list in this function. */
function pushed(name: TS.Identifier, { types, writes, file }: Context): ReadonlySet<string> {
  const kinds = new Set<string>();
  for (const { node, value } of writes.of(types.symbol(name), file)) {
    const values = ts.isCallExpression(node)
      ? [...node.arguments]
      : ts.isBinaryExpression(node)
        ? [node.right]
        : value
          ? [value]
          : [];
    for (const v of values) for (const kind of types.kinds(elementType(bare(v), types))) if (kind !== 'any') kinds.add(kind);
  }
  return kinds;
}

function elementType(value: TS.Expression, types: Context['types']): TS.Type {
  const type = types.of(ts.isSpreadElement(value) ? value.expression : value);
  const spread = ts.isSpreadElement(value) || ts.isBinaryExpression(value.parent);
  return (spread ? types.elementOf(type) : undefined) ?? type;
}
