/** @file JL310: a tensor is printed. In: calls of console. Out: a warning at the tensor; in traced code at every print. */
import { defineRule } from '../../define.ts';
import { fix, remove } from '../../edits.ts';
import { isNamed } from '../../facts/words.ts';
import { ts } from '../../typescript.ts';

export const printing = defineRule({
  code: 'JL310',
  title: 'A tensor is printed',
  severity: 'warning',
  traced: true,
  doc: `
    \`console.log\` is kept, in order. Printing a tensor waits for its value and splits the kernels around it. In a traced
    function everything printed is printed once, while tracing.`,
  pytorch: '`print` is kept in TorchScript, and runs once in a trace.',
  on: 'CallExpression',
  check(node, context) {
    const { expression: callee } = node;
    if (!ts.isPropertyAccessExpression(callee) || !isNamed(callee.expression, 'console')) return;
    const statement = ts.isExpressionStatement(node.parent) ? node.parent : undefined;
    const drop = statement && fix('Remove it', remove(statement));
    if (context.running === 'traced') {
      context.report(node, `‘${context.text(callee)}’ prints once, while tracing`, { fixes: [drop] });
      return;
    }
    const tensor = node.arguments.find((a) => context.types.mayBeTensor(context.type(a)));
    if (!tensor) return;
    context.report(tensor, `printing ‘${context.text(tensor)}’ splits this fusion`, {
      fixes: [drop],
    });
  },
  bad: [
    `const z = x.relu();
    console.log('after relu', z);
                            //^ JL310: printing ‘z’ splits this fusion
    return z;`,
    `console.log(x.sum());
              //^^^^^^^ JL310: printing ‘x.sum()’ splits this fusion
    return x;`,
    `export const f = jit.trace((x: Tensor) => {
      console.log('tracing');
    //^^^^^^^^^^^^^^^^^^^^^^ JL310: ‘console.log’ prints once, while tracing
      return x.relu();
    }, [rand([2])]);`,
  ],
  good: [
    `console.log('size', x.shape[0], n);
    return x;`,
    `import { rand } from 'jitlens';
    const t = rand([2]);
    console.log(t);`,
  ],
});
