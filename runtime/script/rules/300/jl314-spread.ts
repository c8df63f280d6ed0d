/** @file JL314: a list of unknown length is spread into a call. In: `f(...list)`. Out: a report. */
import type { Context, FoundFix } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { after, before, change, fix, operand, replace } from '../../edits.ts';
import { declaredFunctions, walk } from '../../facts/functions.ts';
import { ts, type TS } from '../../typescript.ts';

export const spread = defineRule({
  code: 'JL314',
  title: 'A list is spread into a call',
  severity: 'error',
  doc: `
    How many arguments a call has must be known when it is compiled. A tuple says it; a \`T[]\` does not. Pass the array itself: the quick
    fix gives the function a \`readonly T[]\`, where all its calls are in sight. \`Math.max(...list)\` becomes a \`reduce\`.`,
  pytorch: '“Starred argument” is refused but for tuples.',
  on: 'SpreadElement',
  check(node, context) {
    const { parent } = node;
    if (!ts.isCallExpression(parent) && !ts.isNewExpression(parent)) return;
    const type = context.type(node.expression);
    if (context.types.checker.isTupleType(type) || context.types.isAny(type)) return;
    // Pushing a list is joining two lists.
    const { expression } = parent;
    if (ts.isPropertyAccessExpression(expression) && ['push', 'unshift', 'concat'].includes(expression.name.text)) return;
    context.report(node, 'number of arguments unknown', {
      fixes: [reduced(node, parent, context), listed(node, parent, context)],
    });
  },
  bad: [
    `const ns = [n, 2, 3];
    return x.mul(Math.max(...ns));
                        //^^^^^ JL314: number of arguments unknown`,
    `const sum = (...parts: Tensor[]) => parts.reduce((a, b) => a.add(b));
    return sum(...x.unbind());
             //^^^^^^^^^^^^^ JL314`,
  ],
  good: [
    `const pair = [x, y] as const;
    const sum = (a: Tensor, b: Tensor) => a.add(b);
    return sum(...pair);`,
    `const shape = [...x.shape, 1];
    return x.view(shape);`,
  ],
});

const START: Readonly<Record<string, string>> = { 'Math.max': '-Infinity', 'Math.min': 'Infinity' };

/** The same value, also for an empty list. */
function reduced({ expression: list }: TS.SpreadElement, call: TS.CallExpression | TS.NewExpression, { types }: Context) {
  const name = call.expression.getText();
  const start = START[name];
  const symbol = ts.isPropertyAccessExpression(call.expression) ? types.symbol(call.expression.name) : undefined;
  if (start === undefined || call.arguments?.length !== 1 || !symbol || !types.isHost(symbol)) return undefined;
  return fix('Use reduce', replace(call, `${operand(list)}.reduce((a, b) => ${name}(a, b), ${start})`));
}

/** The rest parameter becomes an array, in the function and in all its calls. */
function listed(node: TS.SpreadElement, call: TS.CallExpression | TS.NewExpression, context: Context): FoundFix | undefined {
  const { types, file } = context;
  if (!ts.isCallExpression(call) || !ts.isIdentifier(call.expression)) return undefined;
  const symbol = types.symbol(call.expression);
  const [callee, ...others] = declaredFunctions(symbol);
  const rest = callee?.parameters.at(-1);
  if (!symbol || !callee || others.length > 0 || callee.getSourceFile() !== file) return undefined;
  if (!rest?.dotDotDotToken || !rest.type?.getText().endsWith('[]') || symbol.declarations?.length !== 1) return undefined;
  const at = callee.parameters.length - 1;
  const changes = [{ start: rest.dotDotDotToken.getStart(), end: rest.dotDotDotToken.end, text: '' }];
  if (!rest.type.getText().startsWith('readonly ')) changes.push(before(rest.type, 'readonly '));
  let known = call.arguments.indexOf(node) === at;
  walk(file, (name) => {
    if (!ts.isIdentifier(name) || name.text !== symbol.name || types.symbol(name) !== symbol) return true;
    const use = name.parent;
    if (use === callee || use === callee.parent) return true;
    if (!ts.isCallExpression(use) || use.expression !== name) known = false;
    else changes.push(...bracketed(use, at));
    return true;
  });
  context.lookBeyond();
  return known ? change(`Pass an array: \`${rest.name.getText()}: readonly T[]\``, changes) : undefined;
}

/** Arguments from a place on, as one array. */
function bracketed(call: TS.CallExpression, at: number) {
  const given = call.arguments.slice(at);
  const [first, last] = [given[0], given.at(-1)];
  if (!first || !last) return [{ start: call.end - 1, end: call.end - 1, text: at > 0 ? ', []' : '[]' }];
  if (given.length === 1 && ts.isSpreadElement(first))
    return [{ start: first.getStart(), end: first.expression.getStart(), text: '' }];
  return [before(first, '['), after(last, ']')];
}
