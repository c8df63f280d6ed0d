/** @file JL407: a write into a tensor that backward needs. In: `x.add_(…)`. Out: a report, with what saved it. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, fix } from '../../edits.ts';
import { inPlaceCall } from '../../facts/aliases.ts';
import { bare, some } from '../../facts/functions.ts';
import { tensorCall } from '../../facts/uses.ts';
import { isConst, variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

/** Ops whose gradient is made of their own result. */
const KEEP_RESULT = new Set(['exp', 'sigmoid', 'tanh', 'sqrt', 'rsqrt', 'reciprocal', 'softmax', 'logSoftmax', 'relu', 'expm1']);

export const savedForBackward = defineRule({
  code: 'JL407',
  title: 'A write into what backward needs',
  severity: 'error',
  doc: `
    The gradient of \`exp\`, \`sigmoid\`, \`tanh\`, \`softmax\` and others is made of their result, which is kept for it. A write into
    that result gives a wrong gradient. Write into a \`clone()\`.`,
  pytorch: '“one of the variables needed for gradient computation has been modified by an inplace operation”, at run time.',
  on: 'CallExpression',
  check(node, context) {
    const call = inPlaceCall(node, context);
    const on = call && bare(call.on);
    const declaration = on && ts.isIdentifier(on) ? variableOf(context.types.symbol(on)) : undefined;
    if (!call || !declaration || !ts.isVariableDeclaration(declaration) || !declaration.initializer || !isConst(declaration))
      return;
    const value = bare(declaration.initializer);
    const made = tensorCall(value, context.types);
    if (!made || !KEEP_RESULT.has(made.name) || !isTrained(value, context, 0)) return;
    context.report(call.nameNode, `the gradient of ‘${made.name}’ needs ‘${context.text(call.on)}’ as it was`, {
      related: [{ message: 'kept for the gradient here', node: made.nameNode }],
      fixes: [fix('Write into a clone', after(declaration.initializer, '.clone()'))],
    });
  },
  bad: [
    `class Gate extends jit.ScriptModule {
      readonly weight = new nn.Parameter(ones([3, 3]));
      forward(x: Tensor): Tensor {
        const gate = x.matmul(this.weight).sigmoid();
        gate.mul_(2);
           //^^^^ JL407: the gradient of ‘sigmoid’ needs ‘gate’ as it was
        return gate;
      }
    }`,
    `class Soft extends jit.ScriptModule {
      readonly linear = new nn.Linear(3, 3);
      forward(x: Tensor): Tensor {
        const scores = this.linear.forward(x);
        const shares = scores.softmax(-1);
        return shares.add_(1);
                    //^^^^ JL407
      }
    }`,
  ],
  good: [
    `class Gate extends jit.ScriptModule {
      readonly weight = new nn.Parameter(ones([3, 3]));
      forward(x: Tensor): Tensor {
        const gate = x.matmul(this.weight).sigmoid().clone();
        gate.mul_(2);
        return gate;
      }
    }`,
    `const z = x.mul(2).sigmoid();
    z.mul_(2);
    return z;`,
  ],
});

/** Whether a parameter, or a module with parameters, has a part in it. */
function isTrained(value: TS.Expression, context: Context, depth: number): boolean {
  const { types } = context;
  return some(value, (node) => {
    if (!ts.isExpression(node)) return false;
    if (ts.isPropertyAccessExpression(node) && (types.isClass(types.of(node), 'Parameter') || types.isModule(types.of(node)))) {
      return node.expression.kind === ts.SyntaxKind.ThisKeyword;
    }
    const declaration = ts.isIdentifier(node) ? variableOf(types.symbol(node)) : undefined;
    return (
      depth < 6 &&
      declaration?.initializer !== undefined &&
      isConst(declaration) &&
      types.mayBeTensor(types.of(node)) &&
      isTrained(declaration.initializer, context, depth + 1)
    );
  });
}
