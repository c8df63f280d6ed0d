/** @file JL316: what an optional chain gives may be undefined. In: `a?.b`. Out: a report, with a default. */
import { defineRule } from '../../define.ts';
import { fix, imported, replace } from '../../edits.ts';
import { outermost, useOf } from '../../facts/uses.ts';
import { ts } from '../../typescript.ts';

const ZERO: Readonly<Record<string, string>> = { number: '0', boolean: 'false', string: "''" };

export const optionalChain = defineRule({
  code: 'JL316',
  title: 'An optional chain without a default',
  severity: 'error',
  doc: `
    \`a?.b\` is an \`if\` whose other arm gives \`undefined\`. Where a value is wanted, say which one to take instead: \`a?.b ?? 0\`.`,
  pytorch: 'Python has no optional chaining.',
  on: ['PropertyAccessExpression', 'CallExpression', 'ElementAccessExpression'],
  check(node, context) {
    const { types } = context;
    if (!ts.isOptionalChain(node) || (ts.isOptionalChain(node.parent) && node.parent.expression === node)) return;
    const type = context.type(node);
    const use = useOf(node, context);
    if (!use || use.as === 'result' || !types.isOptional(type)) return;
    if (use.wanted && types.isOptional(use.wanted)) return;
    const kinds = types.kinds(type);
    const zero = ZERO[kinds[0] ?? ''];
    const made = imported(context.file, 'tensor');
    const tensor = kinds[0] === 'tensor';
    const value = kinds.length === 1 ? (zero ?? (tensor ? `${made.text}(0)` : undefined)) : undefined;
    const at = outermost(node);
    context.report(node, 'result may be undefined', {
      fixes: [
        value === undefined || ts.isParenthesizedExpression(at.parent)
          ? undefined
          : fix(
              `Add a default: \`?? ${value}\``,
              replace(at, use.as === 'argument' ? `${node.getText()} ?? ${value}` : `(${node.getText()} ?? ${value})`),
              tensor ? made.changes : [],
            ),
      ],
    });
  },
  bad: [
    `const scaled = (v: Tensor, options?: { scale: number }) => v.mul(options?.scale);
                                                                   //^^^^^^^^^^^^^^ JL316: result may be undefined
    return scaled(x);`,
    `const shifted = (v: Tensor, by?: Tensor) => v.add(by?.relu());
                                                    //^^^^^^^^^^ JL316
    return shifted(x);`,
  ],
  good: [
    `const scaled = (v: Tensor, options?: { scale: number }) => v.mul(options?.scale ?? 1);
    return scaled(x);`,
    `const shifted = (v: Tensor, by?: Tensor) => by?.add(v) ?? v;
    return shifted(x);`,
  ],
});
