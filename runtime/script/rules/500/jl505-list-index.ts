/** @file JL505: a module of a list is chosen at run time. In: `list.at(i)`. Out: a report at the index. */
import type { Context } from '../../context.ts';
import { fix, freeName, replace } from '../../edits.ts';
import { defineRule } from '../../define.ts';
import { bare, walk } from '../../facts/functions.ts';
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
    with \`for…of\`, or use a constant index. An index that comes from elsewhere has no quick fix: only its meaning tells which
    modules may be chosen.`,
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
    context.report(index, `which module ‘${context.text(index)}’ chooses is only known at run time`, {
      fixes: [walked(index, callee.expression, context)],
    });
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

/** `for (const layer of this.layers)`, where the loop counts through the list and its variable does nothing else. */
function walked(index: TS.Expression, list: TS.Expression, context: Context) {
  const { types } = context;
  const at = bare(index);
  const symbol = ts.isIdentifier(at) ? types.symbol(at) : undefined;
  const loop = variableOf(symbol)?.parent.parent;
  if (!symbol || !loop || !countsThrough(loop, list, symbol, types)) return undefined;
  const uses: TS.CallExpression[] = [];
  const others: TS.Node[] = [];
  walk(loop.statement, (node) => {
    if (!ts.isIdentifier(node) || types.symbol(node) !== symbol) return true;
    const call = node.parent;
    const isAt = ts.isCallExpression(call) && call.arguments[0] === node && call.expression.getText() === `${list.getText()}.at`;
    if (isAt) uses.push(call);
    else others.push(node);
    return true;
  });
  if (others.length > 0) return undefined;
  const name = freeName(index, types.isClass(context.type(list), 'ModuleList') ? 'layer' : 'parameter');
  const head = { start: loop.getStart(), end: loop.statement.getStart(), text: `for (const ${name} of ${list.getText()}) ` };
  return fix(
    `Walk the list: \`for (const ${name} of ${list.getText()})\``,
    head,
    uses.map((use) => replace(use, name)),
  );
}

/** `for (let i = 0; i < list.length; i++)`, or over `range(list.length)`. */
function countsThrough(
  loop: TS.Node,
  list: TS.Expression,
  symbol: TS.Symbol,
  types: Context['types'],
): loop is TS.ForStatement | TS.ForOfStatement {
  const length = `${list.getText()}.length`;
  if (ts.isForOfStatement(loop)) {
    const walked = bare(loop.expression);
    return isRange(walked, types) && walked.arguments.length === 1 && walked.arguments[0]?.getText() === length;
  }
  if (!ts.isForStatement(loop)) return false;
  const { initializer, condition, incrementor } = loop;
  const [only, ...more] = initializer && ts.isVariableDeclarationList(initializer) ? initializer.declarations : [];
  const name = symbol.name;
  return (
    more.length === 0 &&
    only?.initializer?.getText() === '0' &&
    [`${name} < ${length}`, `${name} !== ${length}`].includes(condition?.getText() ?? '') &&
    [`${name}++`, `++${name}`, `${name} += 1`].includes(incrementor?.getText() ?? '')
  );
}
