/** @file JL110: a value that no graph has a type for. In: literals, `new`, parameters. Out: a report at the value. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { isNamed } from '../../facts/words.ts';
import { ts, type TS } from '../../typescript.ts';

const FOREIGN = new Set([
  'Date',
  'RegExp',
  'Set',
  'WeakMap',
  'WeakSet',
  'WeakRef',
  'ArrayBuffer',
  'SharedArrayBuffer',
  'DataView',
  'Int8Array',
  'Uint8Array',
  'Uint8ClampedArray',
  'Int16Array',
  'Uint16Array',
  'Int32Array',
  'Uint32Array',
  'Float32Array',
  'Float64Array',
  'BigInt64Array',
  'BigUint64Array',
  'Buffer',
  'URL',
]);

export const noIrType = defineRule({
  code: 'JL110',
  title: 'A value that a graph has no type for',
  severity: 'error',
  doc: `
    A graph holds tensors, numbers, booleans, strings that are constants, and lists, tuples and records of these. Dates, sets,
    regular expressions, bigints, symbols, typed arrays and maps with other keys than strings or numbers have no place in it.
    Turn them into numbers or tensors outside, and pass those in.`,
  on: ['BigIntLiteral', 'RegularExpressionLiteral', 'NewExpression', 'Parameter', 'CallExpression'],
  check(node, context) {
    if (ts.isParameter(node)) {
      const type = foreign(context.type(node), context);
      if (type !== undefined) context.report(node.name, `${type} has no place in a graph`);
    } else if (ts.isBigIntLiteral(node)) context.report(node, 'bigint has no place in a graph');
    else if (ts.isRegularExpressionLiteral(node)) context.report(node, 'RegExp has no place in a graph');
    else if (ts.isCallExpression(node)) {
      const name = ['Symbol', 'BigInt'].find((word) => isNamed(node.expression, word));
      const symbol = name === undefined ? undefined : context.types.symbol(node.expression);
      if (name !== undefined && symbol && context.types.isHost(symbol))
        context.report(node, `${name.toLowerCase()} has no place in a graph`);
    } else {
      const type = foreign(context.type(node), context);
      if (type !== undefined) context.report(node, `${type} has no place in a graph`);
    }
  },
  bad: [
    `const seen = new Set<number>();
               //^^^^^^^^^^^^^^^^^ JL110: Set has no place in a graph
    return x;`,
    `export const f = jit.script((x: Tensor, weights: Float32Array) => x.mul(weights.length));
                                          //^^^^^^^ JL110: Float32Array has no place in a graph`,
    `const big = 10n;
              //^^^ JL110: bigint has no place in a graph
    return x;`,
  ],
  good: [
    `const sizes = new Map<string, number>([['a', 1]]);
    return x;`,
    `export const f = jit.script((x: Tensor, weights: Tensor) => x.mul(weights));`,
  ],
});

function foreign(type: TS.Type, { types }: Context): string | undefined {
  for (const part of types.parts(type)) {
    if ((part.flags & ts.TypeFlags.BigIntLike) !== 0) return 'bigint';
    if ((part.flags & ts.TypeFlags.ESSymbolLike) !== 0) return 'symbol';
    const symbol = part.getSymbol();
    if (!symbol || !types.isHost(symbol)) continue;
    if (FOREIGN.has(symbol.name)) return symbol.name;
    if (symbol.name === 'Map') {
      const [key] = types.checker.getTypeArguments(part as TS.TypeReference);
      const kinds = key ? types.kinds(key) : [];
      if (kinds.some((k) => k !== 'string' && k !== 'number' && k !== 'any'))
        return `Map with keys of type ${key ? types.describe(key) : ''}`;
    }
  }
  return undefined;
}
