/** @file JL109: a number that may be a fraction is a size, axis, index or trip count. In: arguments and indices. Out: a report. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, replace } from '../../edits.ts';
import { bare } from '../../facts/functions.ts';
import { fractionIn } from '../../facts/numbers.ts';
import { isOwnCall, tensorCall } from '../../facts/uses.ts';
import { signOf } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

/** Parameters of ops that count or point. */
const WHOLE = new Set([
  'dim',
  'dims',
  'axis',
  'shape',
  'size',
  'sizes',
  'index',
  'count',
  'order',
  'rows',
  'columns',
  'length',
  'k',
  'kernel',
  'inputs',
  'outputs',
  'channels',
  'features',
  'hidden',
  'repeats',
  'offset',
  'low',
  'high',
]);
const ENDS = new Set(['start', 'end', 'step', 'first', 'second']);

export const fraction = defineRule({
  code: 'JL109',
  title: 'A size that may be a fraction',
  severity: 'error',
  doc: `
    JavaScript has one type of number, and \`/\` makes fractions. Sizes, axes, indices and trip counts are whole. Literals,
    \`.length\`, shapes, \`Math.floor\` and + − × of whole numbers are known to be whole; a division is not.`,
  pytorch: 'TorchScript tells int from float, and `/` of two ints gives a float there as well; `//` gives an int.',
  on: ['CallExpression', 'ElementAccessExpression', 'ForStatement'],
  check(node, context) {
    if (ts.isCallExpression(node)) {
      call(node, context);
      return;
    }
    if (ts.isForStatement(node)) {
      const { condition } = node;
      const bound =
        condition && ts.isBinaryExpression(condition) && /^[<>]/.test(signOf(condition)) ? condition.right : undefined;
      if (bound) report(bound, 'Math.ceil', context);
      return;
    }
    if (context.types.kind(context.type(node.argumentExpression)) === 'number')
      report(node.argumentExpression, 'Math.floor', context);
  },
  bad: [
    `return x.view([n / 2, 2]);
                 //^^^^^ JL109: ‘n / 2’ may not be an integer`,
    `let z = x;
    const half = n / 2;
    for (const i of range(half)) z = z.add(i);
                        //^^^^ JL109: ‘half’ may not be an integer
    return z;`,
    `return x.select(0, x.size(0) * 0.5);
                     //^^^^^^^^^^^^^^^ JL109`,
  ],
  good: [
    `return x.view([Math.floor(n / 2), 2]);`,
    `return x.slice(0, 1, x.size(0) - 1).mul(n / 2);`,
    `let z = x;
    for (const i of range(x.size(0) * 2)) z = z.add(i / 2);
    return z;`,
  ],
});

function report(value: TS.Expression, by: string, context: Context): void {
  if (!fractionIn(value, context.types)) return;
  context.report(value, `‘${context.text(value)}’ may not be an integer`, {
    fixes: [fix(`Use ${by}`, replace(value, `${by}(${value.getText()})`))],
  });
}

function call(node: TS.CallExpression, context: Context): void {
  const { types } = context;
  if (node.arguments.length === 0 || !isOwnCall(node, types)) return;
  // Costly to resolve, so only where a number may be a fraction.
  if (!node.arguments.some((a) => suspicious(a, types))) return;
  const name = types.ownName(node.expression);
  if (name === 'arange' || name === 'linspace') return;
  const parameters = parameterNames(node, types);
  const swaps = ['transpose', 'diagonal'].includes(tensorCall(node, types)?.name ?? '');
  node.arguments.forEach((argument, i) => {
    const parameter = parameters[i] ?? '';
    const whole = WHOLE.has(parameter) || ENDS.has(parameter) || (swaps && (parameter === 'a' || parameter === 'b'));
    if (!whole) return;
    const value = bare(argument);
    if (ts.isArrayLiteralExpression(value)) for (const e of value.elements) report(e, 'Math.floor', context);
    else if (types.kind(types.of(value)) === 'number') report(value, 'Math.floor', context);
  });
}

function suspicious(argument: TS.Expression, types: Context['types']): boolean {
  const value = bare(argument);
  return ts.isArrayLiteralExpression(value)
    ? value.elements.some((e) => fractionIn(e, types))
    : fractionIn(value, types) !== undefined;
}

/** Names of a call's parameters, those of an op's labelled tuple too. */
function parameterNames(node: TS.CallExpression, types: Context['types']): string[] {
  const { checker } = types;
  const [only, ...others] = types.of(node.expression).getCallSignatures();
  const signature = others.length === 0 ? only : checker.getResolvedSignature(node);
  return (signature?.parameters ?? []).flatMap((parameter) => {
    const type = checker.getTypeOfSymbol(parameter);
    if (!checker.isTupleType(type)) return [parameter.name];
    const labels = (type as TS.TupleTypeReference).target.labeledElementDeclarations ?? [];
    return labels.map((label) => label?.name.getText() ?? '');
  });
}
