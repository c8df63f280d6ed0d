/** @file JL504: modules in a plain array. In: uses of a field in forward. Out: a report, with a ModuleList. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, fix, imported, replace } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const moduleArray = defineRule({
  code: 'JL504',
  title: 'Modules in a plain array',
  severity: 'error',
  doc: `
    The modules of a plain array can be replaced and reordered at any time, so a graph cannot hold on to them. Hold them in a
    \`ModuleList\`, whose modules are part of the module.`,
  pytorch: 'Modules in a plain list are not registered, and their parameters are not trained.',
  on: 'PropertyAccessExpression',
  check(node, context) {
    const { types } = context;
    if (node.expression.kind !== ts.SyntaxKind.ThisKeyword) return;
    const element = types.elementOf(context.type(node));
    if (!element || !types.isModule(element)) return;
    const symbol = types.symbol(node.name);
    if (!context.once(symbol)) return;
    context.lookBeyond();
    context.report(node, `‘${context.text(node)}’ is a plain array of modules; hold them in a ModuleList`, {
      fixes: [asList(symbol, context)],
    });
  },
  bad: [
    `class Stack extends jit.ScriptModule {
      layers = [new nn.Linear(3, 3), new nn.Linear(3, 3)];
      forward(x: Tensor): Tensor {
        let z = x;
        for (const layer of this.layers) z = layer.forward(z);
                          //^^^^^^^^^^^ JL504: ‘this.layers’ is a plain array of modules; hold them in a ModuleList
        return z;
      }
    }`,
    `class Stack extends jit.ScriptModule {
      layers: nn.Linear[];
      constructor() {
        super();
        this.layers = [new nn.Linear(3, 3)];
      }
      forward(x: Tensor): Tensor {
        let z = x;
        for (const layer of this.layers) z = layer.forward(z);
                          //^^^^^^^^^^^ JL504
        return z;
      }
    }`,
  ],
  good: [
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3)]);
      forward(x: Tensor): Tensor {
        let z = x;
        for (const layer of this.layers) z = layer.forward(z);
        return z;
      }
    }`,
    `class Sizes extends jit.ScriptModule {
      readonly sizes = [1, 2] as const;
      forward(x: Tensor): Tensor {
        return x.mul(this.sizes[0]);
      }
    }`,
  ],
});

function asList(symbol: TS.Symbol | undefined, { writes, file }: Context) {
  const declaration = symbol?.declarations?.find(ts.isPropertyDeclaration);
  if (!declaration || declaration.getSourceFile() !== file) return undefined;
  const written = writes.of(symbol, file);
  const value = declaration.initializer ?? (written.length === 1 ? written[0]?.value : undefined);
  if (!value || !ts.isArrayLiteralExpression(bare(value)) || (declaration.initializer && written.length > 0)) return undefined;
  const nn = imported(file, 'nn');
  const { type } = declaration;
  const element = type && ts.isArrayTypeNode(type) ? type.elementType.getText() : undefined;
  if (type && element === undefined) return undefined;
  const list = `${nn.text}.ModuleList`;
  return fix(
    'Hold them in a ModuleList',
    type ? [replace(type, `${list}<${element ?? ''}>`)] : [],
    before(value, `new ${list}(`),
    after(value, ')'),
    nn.changes,
  );
}
