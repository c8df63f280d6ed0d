/** @file JL216: `try`. In: the statement. Out: a report at the word. */
import { defineRule } from '../../define.ts';

export const tryCatch = defineRule({
  code: 'JL216',
  title: 'try cannot be compiled',
  severity: 'error',
  doc: `
    A graph runs on the GPU, which cannot stop in the middle and go on somewhere else. Put the \`try\` around the call of the
    scripted function. \`throw\` is allowed.`,
  pytorch: '`try` is not supported there either.',
  on: 'TryStatement',
  check(node, context) {
    context.report(
      { start: node.getStart(), end: node.getStart() + 'try'.length },
      'move the try around the call to the scripted function',
    );
  },
  bad: [
    `try {
  //^^^ JL216: move the try around the call to the scripted function
      return x.relu();
    } catch {
      return y;
    }`,
    `let z = x;
    try {
  //^^^ JL216
      z = z.add(1);
    } finally {
      z = z.mul(2);
    }
    return z;`,
  ],
  good: [
    `if (n < 0) throw new RangeError(\`n is \${n}\`);
    return x;`,
    `import { jit, type Tensor } from 'jitlens';
    const inner = jit.script((x: Tensor) => x.relu());
    export function outer(x: Tensor): Tensor {
      try {
        return inner(x);
      } catch {
        return x;
      }
    }`,
  ],
});
