/** @file JL503: a module is made in forward. In: `new`. Out: a report, with a field where its arguments allow one. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { before, fix, freeName, indentOf, replace } from '../../edits.ts';
import { classOf, some } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const newModule = defineRule({
  code: 'JL503',
  title: 'A module is made in forward',
  severity: 'error',
  doc: 'A module that is made in a call has new parameters each time, which nobody trains. Make it in the constructor, or in a field.',
  pytorch: 'Modules cannot be constructed in scripted code.',
  on: 'NewExpression',
  check(node, context) {
    const { types } = context;
    const type = context.type(node);
    if (!types.isModule(type) && !(types.isClass(type, 'Parameter') || types.isClass(type, 'Buffer'))) return;
    const name = node.expression.getText().split('.').at(-1) ?? 'module';
    context.report(node, `this makes a new ${name} in every call`, { fixes: [asField(node, name, context)] });
  },
  bad: [
    `class Block extends jit.ScriptModule {
      readonly size = 3;
      forward(x: Tensor): Tensor {
        return new nn.Linear(3, 4).forward(x);
             //^^^^^^^^^^^^^^^^^^^ JL503: this makes a new Linear in every call
      }
    }`,
    `const norm = new nn.LayerNorm(n);
               //^^^^^^^^^^^^^^^^^^^ JL503
    return norm.forward(x);`,
  ],
  good: [
    `class Block extends jit.ScriptModule {
      readonly linear = new nn.Linear(3, 4);
      forward(x: Tensor): Tensor {
        return this.linear.forward(x);
      }
    }`,
    `const linear = new nn.Linear(3, 4);
    export const f = jit.script((x: Tensor) => linear.forward(x));`,
  ],
});

function asField(node: TS.NewExpression, name: string, { types, unit }: Context) {
  const owner = classOf(node);
  const [member] = owner?.members ?? [];
  const local = some(node, (at) => {
    if (at.kind === ts.SyntaxKind.ThisKeyword) return true;
    const declaration = ts.isIdentifier(at) ? types.symbol(at)?.declarations?.[0] : undefined;
    return (
      declaration !== undefined &&
      unit !== undefined &&
      declaration.getSourceFile() === unit.getSourceFile() &&
      declaration.pos >= unit.pos &&
      declaration.end <= unit.end
    );
  });
  if (!member || !owner || local || !types.isModule(types.of(owner))) return undefined;
  const wanted = name.charAt(0).toLowerCase() + name.slice(1);
  const taken = new Set(owner.members.map((m) => m.name?.getText()));
  const field = taken.has(wanted) ? freeName(node, `${wanted}Layer`) : wanted;
  return fix(
    `Hold it in a field: \`this.${field}\``,
    before(member, `readonly ${field} = ${node.getText()};\n${indentOf(member)}`),
    replace(node, `this.${field}`),
  );
}
