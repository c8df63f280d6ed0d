/** @file JL103: a value that may be undefined is used as if it were there. In: uses. Out: a report, with the test that is not enough. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { before, fix, freeName, indentOf, replace, statementOf } from '../../edits.ts';
import { functionAround, walk } from '../../facts/functions.ts';
import { useOf } from '../../facts/uses.ts';
import { ts, type TS } from '../../typescript.ts';

export const optionalValue = defineRule({
  code: 'JL103',
  title: 'A value that may be undefined',
  severity: 'error',
  doc: `
    A field that can be assigned may be cleared by another call between the test and the use, so testing it does not make it
    certain. Hold it in a \`const\` first, or declare the field \`readonly\`; then TypeScript's narrowing is enough.`,
  pytorch: 'The same: an Optional attribute must be assigned to a local variable before it is refined.',
  on: ['Identifier', 'PropertyAccessExpression'],
  check(node, context) {
    const { types } = context;
    const use = useOf(node, context);
    if (!use || use.as === 'result') return;
    const type = context.type(node);
    const message = () => `‘${context.text(node)}’ may be undefined when line ${context.line(node)} runs`;
    const accepted = () => use.wanted !== undefined && types.isOptional(use.wanted);
    if (types.parts(type).length > 0 && types.isOptional(type) && !ts.isOptionalChain(node) && !accepted()) {
      if (useful(type, context)) context.report(node, message());
      return;
    }
    if (mutableOptional(node, context) && !accepted() && useful(type, context))
      context.report(node, message(), { fixes: [hoist(node, context)] });
  },
  bad: [
    `class Shift extends jit.ScriptModule {
      bias?: Tensor;
      forward(x: Tensor): Tensor {
        if (this.bias !== undefined) return x.add(this.bias);
                                                //^^^^^^^^^ JL103: ‘this.bias’ may be undefined when line 5 runs
        return x;
      }
    }`,
    `class Gate extends jit.ScriptModule {
      gate: nn.Linear | undefined = undefined;
      forward(x: Tensor): Tensor {
        return this.gate ? this.gate.forward(x).sigmoid() : x;
                         //^^^^^^^^^ JL103
      }
    }`,
  ],
  good: [
    `class Shift extends jit.ScriptModule {
      readonly bias?: Tensor;
      forward(x: Tensor): Tensor {
        if (this.bias !== undefined) return x.add(this.bias);
        return x;
      }
    }`,
    `class Shift extends jit.ScriptModule {
      bias?: Tensor;
      forward(x: Tensor): Tensor {
        const bias = this.bias;
        return bias === undefined ? x : x.add(bias);
      }
    }`,
    `class Dense extends jit.ScriptModule {
      weight = new nn.Parameter(randn([3, 3]));
      bias?: nn.Parameter;
      forward(x: Tensor): Tensor {
        return x.linear(this.weight, this.bias);
      }
    }`,
  ],
});

/** Whether the type says what is there, so that the finding is about `undefined` alone. */
function useful(type: TS.Type, { types }: Context): boolean {
  return types.parts(type).every((t) => types.kind(t) !== 'any');
}

function mutableOptional(node: TS.Expression, { types }: Context): boolean {
  if (!ts.isPropertyAccessExpression(node) || node.expression.kind !== ts.SyntaxKind.ThisKeyword) return false;
  const symbol = types.symbol(node.name);
  const declaration = symbol?.declarations?.[0];
  if (!symbol || !declaration || !(ts.isPropertyDeclaration(declaration) || ts.isParameter(declaration))) return false;
  const isReadonly = (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Readonly) !== 0;
  return !isReadonly && types.isOptional(types.checker.getTypeOfSymbol(symbol));
}

function hoist(node: TS.Expression, { types, writes }: Context) {
  const fn = functionAround(node);
  if (!fn?.body || !ts.isBlock(fn.body) || !ts.isPropertyAccessExpression(node)) return undefined;
  const symbol = types.symbol(node.name);
  if (writes.within(symbol, fn).some((w) => w.kind === 'assign')) return undefined;
  const uses: TS.PropertyAccessExpression[] = [];
  walk(fn.body, (at) => {
    if (ts.isPropertyAccessExpression(at) && at.getText() === node.getText()) uses.push(at);
    return true;
  });
  const first = uses[0];
  let statement = first && statementOf(first);
  while (statement && statement.parent !== fn.body) statement = statementOf(statement.parent);
  if (!statement) return undefined;
  const name = freeName(node, node.name.text);
  return fix(
    `Hold it in a const: \`const ${name} = ${node.getText()}\``,
    before(statement, `const ${name} = ${node.getText()};\n${indentOf(statement)}`),
    uses.map((use) => replace(use, name)),
  );
}
