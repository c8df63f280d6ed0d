/** @file JL218: generators and async iterators. In: functions, `yield`, `for await`. Out: a report at the word or star. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { isFunction, walk, type FunctionNode } from '../../facts/functions.ts';
import { ts } from '../../typescript.ts';

export const suspends = defineRule({
  code: 'JL218',
  title: 'A function that suspends',
  severity: 'error',
  doc: `
    Generators and async iterators stop in the middle and go on when somebody asks for more. A graph runs from its start to its
    end. Collect the values into an array, and return that.`,
  pytorch: 'Generators are refused there as well.',
  on: ['Unit', 'ForOfStatement'],
  check(node, context) {
    if (!isFunction(node)) {
      if (node.awaitModifier) context.report(node.awaitModifier, '‘for await’ suspends in the middle of a graph');
      return;
    }
    star(node, context);
    walk(node, (at) => {
      if (isFunction(at)) star(at, context);
      return true;
    });
  },
  bad: [
    `function* rows(v: Tensor) {
          //^ JL218: a generator suspends in the middle of a graph
      yield v;
    }
    return x;`,
    `import { jit, type Tensor } from 'jitlens';
    declare const batches: AsyncIterable<Tensor>;
    export const f = jit.script(async (x: Tensor) => {
      let z = x;
      for await (const batch of batches) z = z.add(batch);
        //^^^^^ JL218: ‘for await’ suspends
      return z;
    });`,
  ],
  good: [
    `const rows = (v: Tensor): readonly Tensor[] => [v, v.neg()];
    let z = x;
    for (const row of rows(x)) z = z.add(row);
    return z;`,
    `let z = x;
    for (const i of range(n)) z = z.add(i);
    return z;`,
  ],
});

function star(fn: FunctionNode, context: Context): void {
  const mark = ts.isArrowFunction(fn) ? undefined : fn.asteriskToken;
  if (mark) context.report(mark, 'a generator suspends in the middle of a graph');
}
