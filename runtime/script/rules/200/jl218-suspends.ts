/** @file JL218: generators and async iterators. In: functions, `yield`, `for await`. Out: a report at the word or star. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, change, freeName, imported, indentOf, remove, replace } from '../../edits.ts';
import { isFunction, walk, type FunctionNode } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const suspends = defineRule({
  code: 'JL218',
  title: 'A function that suspends',
  severity: 'error',
  doc: `
    Generators and async iterators stop in the middle and go on when somebody asks for more. A graph runs from its start to its
    end. Collect the values into an array, and return that. The quick fix does so for a function whose values are given one by one:
    all of it has run, then, before the first value is used. What an async iterator gives comes from outside, over time: it must be
    awaited before the call.`,
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
    `import { jit, range, type Tensor } from 'jitlens';
    function* rows(v: Tensor): Generator<Tensor> {
          //^ JL218
      yield v;
      if (v.rank === 0) return;
      for (const i of range(3)) {
        yield v.mul(i);
      }
    }
    export const f = jit.script((x: Tensor) => {
      let z = x;
      for (const row of rows(x)) z = z.add(row);
      return z;
    });`,
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
  if (mark) context.report(mark, 'a generator suspends in the middle of a graph', { fixes: [collected(fn, mark, context)] });
}

function collected(fn: FunctionNode, mark: TS.Node, { types }: Context) {
  const { body, type } = fn;
  if (
    !body ||
    ts.isArrowFunction(fn) ||
    !ts.isBlock(body) ||
    ts.getModifiers(fn)?.some((m) => m.kind === ts.SyntaxKind.AsyncKeyword)
  )
    return undefined;
  const yields: TS.YieldExpression[] = [];
  const returns: TS.ReturnStatement[] = [];
  const others: TS.Node[] = [];
  walk(body, (node) => {
    if (isFunction(node)) return false;
    if (ts.isYieldExpression(node)) {
      const simple = node.expression && !node.asteriskToken && ts.isExpressionStatement(node.parent);
      if (simple) yields.push(node);
      else others.push(node);
    } else if (ts.isReturnStatement(node)) (node.expression ? others : returns).push(node);
    // One without an end gives values as long as somebody asks.
    else if (ts.isWhileStatement(node) || ts.isDoStatement(node) || (ts.isForStatement(node) && !node.condition))
      others.push(node);
    return true;
  });
  const kinds = new Set(yields.map(({ expression }) => (expression ? types.describe(types.of(expression)) : '')));
  const [kind] = kinds;
  if (kind === undefined || kinds.size > 1 || others.length > 0 || !/^(Tensor|number|boolean|string)$/.test(kind))
    return undefined;
  const element = kind === 'Tensor' ? imported(fn.getSourceFile(), 'Tensor', true) : { text: kind, changes: [] };
  const name = freeName(body, 'values');
  const indent = indentOf(body.statements[0] ?? body);
  const end = body.getLastToken() ?? body;
  const list = `readonly ${element.text}[]`;
  const close = fn.getChildren().find((c) => c.kind === ts.SyntaxKind.CloseParenToken);
  return change('Collect the values into an array', remove(mark), element.changes, [
    type ? replace(type, list) : after(close ?? body, `: ${list}`),
    after(body.getFirstToken() ?? body, `\n${indent}const ${name}: ${element.text}[] = [];`),
    ...yields.map((node) => ({ start: node.getStart(), end: node.expression?.getStart() ?? node.end, text: `${name}.push(` })),
    ...yields.map((node) => after(node, ')')),
    ...returns.map((node) => replace(node, `return ${name};`)),
    before(end, `  return ${name};\n${indentOf(fn)}`),
  ]);
}
