/** @file JL309: `Math.*` on a tensor. In: calls of Math. Out: a report at the tensor, with the tensor's own method. */
import { defineRule } from '../../define.ts';
import { fix, operand, replace } from '../../edits.ts';
import { isNamed } from '../../facts/words.ts';
import { ts } from '../../typescript.ts';

const METHODS: Readonly<Record<string, string>> = {
  abs: 'abs',
  acos: 'acos',
  asin: 'asin',
  atan: 'atan',
  atan2: 'atan2',
  ceil: 'ceil',
  cos: 'cos',
  cosh: 'cosh',
  exp: 'exp',
  expm1: 'expm1',
  floor: 'floor',
  log: 'log',
  log10: 'log10',
  log1p: 'log1p',
  log2: 'log2',
  max: 'maximum',
  min: 'minimum',
  pow: 'pow',
  round: 'round',
  sign: 'sign',
  sin: 'sin',
  sinh: 'sinh',
  sqrt: 'sqrt',
  tan: 'tan',
  tanh: 'tanh',
  trunc: 'trunc',
};

export const mathOnTensor = defineRule({
  code: 'JL309',
  title: 'Math on a tensor',
  severity: 'error',
  doc: '`Math` works on numbers. Tensors have methods of the same names: `x.sqrt()`, `a.maximum(b)`.',
  pytorch: '`math.sqrt` of a tensor reads it and gives a float, which cuts the graph.',
  on: 'CallExpression',
  check(node, context) {
    const { expression: callee } = node;
    if (!ts.isPropertyAccessExpression(callee) || !isNamed(callee.expression, 'Math')) return;
    const { types } = context;
    const tensor = node.arguments.find((a) => types.mayBeTensor(context.type(a)));
    if (!tensor) return;
    const [first, ...rest] = node.arguments;
    const method = METHODS[callee.name.text];
    const has = method !== undefined && context.type(tensor).getProperty(method) !== undefined;
    const direct = first === tensor && rest.length <= 1;
    context.report(tensor, `Math.${callee.name.text} needs a number`, {
      fixes: [
        has && direct
          ? fix(`Use ${method}()`, replace(node, `${operand(tensor)}.${method}(${rest.map((r) => r.getText()).join(', ')})`))
          : undefined,
      ],
    });
  },
  bad: [
    `const z = Math.exp(x);
                     //^ JL309: Math.exp needs a number
    return y;`,
    `const z = Math.max(x, y);
                     //^ JL309: Math.max needs a number
    return y;`,
  ],
  good: [`return x.sqrt().mul(Math.sqrt(n));`, `return x.maximum(y).add(Math.max(n, 2));`],
});
