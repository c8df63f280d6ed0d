/** @file JL403: the elements of a tensor are taken out. In: `data()`, `toArray()`. Out: a report. */
import { defineRule } from '../../define.ts';
import { tensorCall } from '../../facts/uses.ts';

export const rawData = defineRule({
  code: 'JL403',
  title: 'Elements leave the graph',
  severity: 'error',
  doc: '`data()` and `toArray()` bring all elements to the host, where no graph can follow them. Return the tensor, and read it outside.',
  pytorch: '`.numpy()` and `.tolist()` are refused by the scripter and baked by the tracer.',
  on: 'CallExpression',
  check(node, context) {
    const call = tensorCall(node, context.types);
    if (call?.name === 'data' || call?.name === 'toArray') context.report(node, `‘${context.text(node)}’ leaves the graph`);
  },
  bad: [
    `const values = await x.data();
                       //^^^^^^^^ JL403: ‘x.data()’ leaves the graph
    return x.mul(values[0] ?? 1);`,
    `export const f = jit.script(async (x: Tensor) => (await x.sum().data())[0] ?? 0);
                                                          //^^^^^^^^^^^^^^ JL403`,
  ],
  good: [
    `return x.sum();`,
    `import { rand } from 'jitlens';
    export const values = await rand([3]).data();`,
  ],
});
