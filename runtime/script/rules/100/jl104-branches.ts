/** @file JL104: the arms of an `if` give one name different types. In: an `if`. Out: a report at the later arm, with the other one. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { fix, imported, replace } from '../../edits.ts';
import { isFunctionLike, walk, type FunctionNode } from '../../facts/functions.ts';
import { readsOf, returnsOf } from '../../facts/flow.ts';
import { ts, type TS } from '../../typescript.ts';

export const branchTypes = defineRule({
  code: 'JL104',
  title: 'Branches give different types',
  severity: 'error',
  doc: `
    After an \`if\`, a variable has one type in the graph, whichever arm ran. Give it a Tensor in both arms, or a number in
    both. Where nobody reads the variable afterwards, the arms may differ. The results of a function must agree likewise.`,
  pytorch: '“Type mismatch: r is set to type Tensor in the true branch and type int in the false branch.”',
  on: ['IfStatement', 'Unit'],
  check(node, context) {
    if (ts.isIfStatement(node)) arms(node, context);
    else results(node, context);
  },
  bad: [
    `let r: Tensor | number;
    if (n > 1) r = x;
    else r = 4;
       //^ JL104: ‘r’ is Tensor at line 4 but number at line 5
    return typeof r === 'number' ? x : r;`,
    `if (n > 1) {
      return x.relu();
    }
    return 4;
         //^ JL104: the result is Tensor at line 4 but number at line 6`,
  ],
  good: [
    `let r: Tensor;
    if (n > 1) r = x;
    else r = tensor(4);
    return r;`,
    `let r: Tensor | number;
    if (n > 1) r = x;
    else r = 4;
    return x;`,
    `let k = 1;
    if (n > 1) k = 2;
    return x.mul(k);`,
  ],
});

function arms(node: TS.IfStatement, context: Context): void {
  const { types, writes } = context;
  if (!node.elseStatement) return;
  const symbols = new Set<TS.Symbol>();
  walk(node.thenStatement, (at) => {
    if (ts.isIdentifier(at) && ts.isBinaryExpression(at.parent) && at.parent.left === at) {
      const symbol = types.symbol(at);
      if (symbol) symbols.add(symbol);
    }
    return !isFunctionLike(at);
  });
  for (const symbol of symbols) {
    if (hasOneKind(types.ofVariable(symbol), context)) continue;
    const [a, b] = [node.thenStatement, node.elseStatement].map((arm) => writes.within(symbol, arm).findLast((w) => w.value));
    if (!a?.value || !b?.value) continue;
    const [first, second] = [kindOf(a.value, context), kindOf(b.value, context)];
    if (!first || !second || first === second || !readAfter(symbol, node, context)) continue;
    context.report(
      b.node,
      `‘${symbol.name}’ is ${name(a.value, context)} at line ${context.line(a.node)} but ${name(b.value, context)} at line ${context.line(b.node)}`,
      {
        related: [{ message: `${name(a.value, context)} here`, node: a.node }],
        fixes: [wrap(first === 'number' ? a.value : b.value, [first, second], context)],
      },
    );
  }
}

/** Whether TypeScript itself keeps a variable or a result to one kind. */
export function hasOneKind(type: TS.Type, { types }: Context): boolean {
  const kinds = types.kinds(type);
  return kinds.length === 1 && kinds[0] !== 'any' && kinds[0] !== 'other' && !types.isOptional(type);
}

function results(unit: FunctionNode, context: Context): void {
  if (unit.type && hasOneKind(context.types.checker.getTypeFromTypeNode(unit.type), context)) return;
  const [first, ...rest] = returnsOf(unit).flatMap(({ expression }) => expression ?? []);
  const kind = first && kindOf(first, context);
  if (!first || !kind) return;
  const other = rest.find((r) => ![kind, undefined].includes(kindOf(r, context)));
  if (!other) return;
  const pair = [kind, kindOf(other, context) ?? ''];
  context.report(
    other,
    `the result is ${name(first, context)} at line ${context.line(first)} but ${name(other, context)} at line ${context.line(other)}`,
    {
      related: [{ message: `${name(first, context)} here`, node: first }],
      fixes: [wrap(kind === 'number' ? first : other, pair, context)],
    },
  );
}

/** The one kind that a value has, when there is one. */
export function kindOf(value: TS.Expression, { types }: Context): string | undefined {
  const type = types.of(value);
  const kinds = types.kinds(type);
  const [kind] = kinds;
  if (kinds.length !== 1 || types.isOptional(type) || kind === 'any' || kind === 'other') return undefined;
  return kind;
}

export function name(value: TS.Expression, { types }: Context): string {
  return types.describe(types.checker.getBaseTypeOfLiteralType(types.of(value)));
}

/** Makes a tensor of the number, where the other value is a tensor. */
export function wrap(value: TS.Expression, kinds: readonly string[], context: Context) {
  if (!kinds.includes('number') || !kinds.includes('tensor') || kindOf(value, context) !== 'number') return undefined;
  const made = imported(context.file, 'tensor');
  return fix(
    `Make it a tensor: \`${made.text}(${context.text(value)})\``,
    replace(value, `${made.text}(${value.getText()})`),
    made.changes,
  );
}

function readAfter(symbol: TS.Symbol, node: TS.Node, { types, unit, file }: Context): boolean {
  return readsOf(unit ?? file, (id) => id.text === symbol.name && types.symbol(id) === symbol).some((id) => id.pos >= node.end);
}
