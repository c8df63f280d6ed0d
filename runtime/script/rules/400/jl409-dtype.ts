/** @file JL409: a dtype that the GPU does not have. In: dtype names given to ops. Out: a warning, with the one that is used. */
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { isOwnCall } from '../../facts/uses.ts';
import { ts } from '../../typescript.ts';

const INSTEAD: Readonly<Record<string, string>> = {
  float64: 'float32',
  int64: 'int32',
  uint64: 'uint32',
  int16: 'int32',
  int8: 'int32',
  uint8: 'uint32',
  bfloat16: 'float32',
};

export const dtype = defineRule({
  code: 'JL409',
  title: 'A dtype that the GPU does not have',
  severity: 'warning',
  doc: `
    WGSL has 32-bit floats and integers, and half precision on some devices. Values of 64 bits exist on the reference device
    only; on a GPU they are computed in 32 bits.`,
  pytorch: '`float64` and `int64` are computed as such, slowly on most GPUs.',
  on: 'StringLiteral',
  check(node, context) {
    const instead = INSTEAD[node.text];
    if (instead === undefined) return;
    const option =
      ts.isPropertyAssignment(node.parent) && node.parent.name.getText() === 'dtype' ? node.parent.parent.parent : node.parent;
    if (!ts.isCallExpression(option) || !isOwnCall(option, context.types)) return;
    const quote = node.getText()[0] ?? "'";
    context.report(node, `computed as ${instead}`, {
      fixes: [fix(`Use ${instead}`, replace(node, `${quote}${instead}${quote}`))],
    });
  },
  bad: [
    `return x.to('float64');
              //^^^^^^^^^ JL409: computed as float32`,
    `return x.add(zeros([2], { dtype: 'float64' }));
                                   //^^^^^^^^^ JL409`,
  ],
  good: [
    `return x.to('float32');`,
    `const mode = 'float64';
    return x;`,
  ],
});
