/** @file JL408: numbers are uploaded on each turn of a loop. In: `tensor(…)`, `fromArray(…)`. Out: a warning. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { before, fix, freeName, indentOf, replace } from '../../edits.ts';
import { loopsAround } from '../../facts/flow.ts';
import { isWithin, some } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const upload = defineRule({
  code: 'JL408',
  title: 'An upload on each turn',
  severity: 'warning',
  doc: 'A tensor made of numbers inside a loop is made, and sent to the GPU, on each turn. Make it once, before the loop.',
  pytorch: 'The same cost, silently.',
  on: 'CallExpression',
  check(node, context) {
    const name = context.types.ownName(node.expression);
    const [value] = node.arguments;
    if ((name !== 'tensor' && name !== 'fromArray') || !value || !context.unit) return;
    const loop = loopsAround(node, context.unit)[0];
    if (!loop || !isConstant(node, loop, context)) return;
    const made = freeName(node, 'constant');
    const outer = ts.isLabeledStatement(loop.parent) ? loop.parent : loop;
    const inBlock = ts.isBlock(outer.parent) || ts.isSourceFile(outer.parent);
    context.report(node, 'uploaded on each turn', {
      related: [{ message: 'the loop', node: loop.getFirstToken() ?? loop }],
      fixes: [
        inBlock
          ? fix(
              'Make it before the loop',
              before(outer, `const ${made} = ${node.getText()};\n${indentOf(outer)}`),
              replace(node, made),
            )
          : undefined,
      ],
    });
  },
  bad: [
    `let z = x;
    for (const i of range(n)) z = z.add(tensor([1, 2, 3]));
                                      //^^^^^^^^^^^^^^^^^ JL408: uploaded on each turn
    return z;`,
    `let z = x;
    let i = 0;
    while (i < n) {
      z = z.mul(tensor(2));
              //^^^^^^^^^ JL408
      i += 1;
    }
    return z;`,
  ],
  good: [
    `const weights = tensor([1, 2, 3]);
    let z = x;
    for (const i of range(n)) z = z.add(weights);
    return z;`,
    `let z = x;
    for (const i of range(n)) z = z.add(tensor(i));
    return z;`,
  ],
});

/** Whether its arguments are the same on each turn. */
function isConstant(call: TS.CallExpression, loop: TS.Node, { types, writes }: Context): boolean {
  return call.arguments.every(
    (argument) =>
      !some(argument, (node) => {
        if (ts.isCallExpression(node) || ts.isAwaitExpression(node)) return true;
        if (!ts.isIdentifier(node)) return false;
        const symbol = types.symbol(node);
        if (ts.isPropertyAssignment(node.parent) && node.parent.name === node) return false;
        const inside = symbol?.declarations?.some((d) => isWithin(d, loop)) ?? true;
        return inside || writes.within(symbol, loop).length > 0;
      }),
  );
}
