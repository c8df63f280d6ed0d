/** @file JL203: a mutable array is walked. In: `for…of`. Out: a report at the array, with edits that fix its length. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, fix, replace } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { isCut } from '../../facts/loops.ts';
import { isConst, variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const mutableArray = defineRule({
  code: 'JL203',
  title: 'A mutable array is walked',
  severity: 'error',
  doc: `
    The length and the elements of a \`T[]\` can change while it is walked, and JavaScript looks at the length anew on each
    turn. A compiled loop knows its length when it starts. Walk what cannot change: a \`range\`, a tuple (\`[1, 2] as const\`), a
    \`readonly T[]\`, a \`ModuleList\`, or the fresh list that \`unbind\`, \`split\` and \`chunk\` give.`,
  pytorch: 'TorchScript loops over lists at run time, and unrolls only loops over tuples and ModuleLists.',
  on: 'ForOfStatement',
  check(loop, context) {
    const { types } = context;
    const { expression } = loop;
    const type = context.type(expression);
    if (!types.isMutableArray(type) || isCut(expression, types) || isModuleField(expression, context)) return;
    context.lookBeyond();
    context.report(
      expression,
      `‘${context.text(expression)}’ is a mutable array; only a range, a tuple or a \`readonly\` array can be looped over here`,
      { fixes: fixes(expression, context) },
    );
  },
  bad: [
    `const ns = [1, 2, 3, 4];
    let z = x;
    for (const k of ns) z = z.add(k);
                  //^^ JL203: ‘ns’ is a mutable array; only a range, a tuple or a \`readonly\` array can be looped over here
    return z;`,
    `const sum = (parts: Tensor[]) => {
      let z = x;
      for (const part of parts) z = z.add(part);
                       //^^^^^ JL203: ‘parts’ is a mutable array
      return z;
    };
    return sum([x, y]);`,
    `let z = x;
    for (const k of [1, 2, n]) z = z.add(k);
                  //^^^^^^^^^ JL203
    return z;`,
    `function sizes(): number[] { return [1, 2]; }
    export const f = jit.script((x: Tensor) => {
      let z = x;
      for (const k of sizes()) z = z.add(k);
                    //^^^^^^^ JL203
      return z;
    });`,
    `class Scales extends jit.ScriptModule {
      scales: number[] = [1, 2];
      forward(x: Tensor): Tensor {
        let z = x;
        for (const s of this.scales) z = z.mul(s);
                      //^^^^^^^^^^^ JL203
        return z;
      }
    }`,
  ],
  good: [
    `const ns = [1, 2, 3, 4] as const;
    let z = x;
    for (const k of ns) z = z.add(k);
    return z;`,
    `const sum = (parts: readonly Tensor[], more: ReadonlyArray<number>, pair: [Tensor, Tensor]) => {
      let z = x;
      for (const part of parts) z = z.add(part);
      for (const k of more) z = z.add(k);
      for (const part of pair) z = z.add(part);
      return z;
    };
    return sum([x, y], [1], [x, y]);`,
    `let z = x;
    for (const row of y.unbind()) z = z.add(row);
    for (const row of y.split(2)) z = z.add(row.sum());
    for (const k of range(n)) z = z.add(k);
    return z;`,
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3)]);
      forward(x: Tensor): Tensor {
        let z = x;
        for (const layer of this.layers) z = layer.forward(z);
        return z;
      }
    }`,
  ],
});

/** A plain array of modules in a field, which JL504 speaks of. */
function isModuleField(node: TS.Expression, { types }: Context): boolean {
  const element = types.elementOf(types.of(node));
  return element !== undefined && types.isModule(element) && ts.isPropertyAccessExpression(bare(node));
}

function fixes(expression: TS.Expression, { types, writes, file }: Context) {
  const at = bare(expression);
  if (ts.isArrayLiteralExpression(at)) return [fix('Make it a tuple: `as const`', after(at, ' as const'))];
  const symbol = types.symbol(ts.isPropertyAccessExpression(at) ? at.name : at);
  const written = writes.of(symbol, file).length > 0;
  const declaration = variableOf(symbol) ?? symbol?.declarations?.find(ts.isPropertyDeclaration);
  // One that is changed later needs its type as it is.
  if (written || !declaration || ts.isBindingElement(declaration) || declaration.getSourceFile() !== file) return [];
  const { type, initializer } = declaration;
  if (type) return [readonlyType(type)];
  const value = initializer && bare(initializer);
  const literal =
    value && ts.isArrayLiteralExpression(value) && value.elements.length > 0 && !value.elements.some(ts.isSpreadElement);
  return literal && (isConst(declaration) || ts.isPropertyDeclaration(declaration))
    ? [fix('Make it a tuple: `as const`', after(value, ' as const'))]
    : [];
}

function readonlyType(type: TS.TypeNode) {
  if (ts.isArrayTypeNode(type)) return fix(`Type it \`readonly ${type.getText()}\``, before(type, 'readonly '));
  if (ts.isTypeReferenceNode(type) && type.typeName.getText() === 'Array')
    return fix('Type it `ReadonlyArray`', replace(type.typeName, 'ReadonlyArray'));
  return undefined;
}
