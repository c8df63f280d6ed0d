/** @file JL505: a module of a list is chosen at run time. In: `list.at(i)`. Out: a report at the index. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { bare } from '../../facts/functions.ts';
import { constantOf, rangeCount } from '../../facts/numbers.ts';
import { isRange } from '../../facts/uses.ts';
import { variableOf } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const listIndex = defineRule({
  code: 'JL505',
  title: 'A module chosen at run time',
  severity: 'error',
  doc: `
    Which module of a list is called must be known when the graph is made: its parameters are part of the graph. Walk the list
    with \`for…of\`, or use a constant index.`,
  pytorch: 'Indexing a ModuleList is allowed with constants only.',
  on: 'CallExpression',
  check(node, context) {
    const { expression: callee } = node;
    const [index] = node.arguments;
    if (!ts.isPropertyAccessExpression(callee) || callee.name.text !== 'at' || !index) return;
    const { types } = context;
    const type = context.type(callee.expression);
    if (!types.isClass(type, 'ModuleList') && !types.isClass(type, 'ParameterList')) return;
    if (constantOf(index, types) !== undefined || isUnrolledIndex(index, context)) return;
    context.report(index, `which module ‘${context.text(index)}’ chooses is only known at run time`);
  },
  bad: [
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3)]);
      forward(x: Tensor, which: number): Tensor {
        return this.layers.at(which).forward(x);
                            //^^^^^ JL505: which module ‘which’ chooses is only known at run time
      }
    }`,
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3)]);
      forward(x: Tensor): Tensor {
        let z = x;
        for (let i = 0; i < this.layers.length; i++) z = this.layers.at(i).forward(z);
                                                                      //^ JL505
        return z;
      }
    }`,
  ],
  good: [
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3)]);
      forward(x: Tensor): Tensor {
        let z = x;
        for (const layer of this.layers) z = layer.forward(z);
        return z.add(this.layers.at(-1).forward(z));
      }
    }`,
    `class Stack extends jit.ScriptModule {
      layers = new nn.ModuleList([new nn.Linear(3, 3), new nn.Linear(3, 3)]);
      forward(x: Tensor): Tensor {
        let z = x;
        for (const i of range(2)) z = this.layers.at(i).forward(z);
        return z;
      }
    }`,
  ],
});

/** The variable of a loop over constants, which is written out. */
function isUnrolledIndex(index: TS.Expression, { types }: Context): boolean {
  const at = bare(index);
  const declaration = ts.isIdentifier(at) ? variableOf(types.symbol(at)) : undefined;
  const loop = declaration?.parent.parent;
  if (!loop || !ts.isForOfStatement(loop)) return false;
  const { expression } = loop;
  return isRange(expression, types)
    ? rangeCount(expression, types) !== undefined
    : types.checker.isTupleType(types.of(expression));
}
