/** @file JL312: a field whose name is only known at run time. In: `a[k]`. Out: a report at the key. */
import { defineRule } from '../../define.ts';
import { constantOf } from '../../facts/numbers.ts';

/** Kinds whose values differ in more than what they hold. */
const ONE_BY_ONE: ReadonlySet<string> = new Set(['any', 'other', 'module', 'function', 'record', 'tuple']);

export const dynamicKey = defineRule({
  code: 'JL312',
  title: 'A field chosen at run time',
  severity: 'error',
  doc: `
    The fields of a record and of a tuple may have types of their own, and then a graph must know which one is meant. A list, a
    \`Record<string, T>\`, and a record whose fields are all numbers or all tensors may be indexed by what is computed.`,
  pytorch: 'Dictionaries have one value type; tuples take constant indices only.',
  on: 'ElementAccessExpression',
  check(node, context) {
    const { types } = context;
    const key = node.argumentExpression;
    const type = context.type(node.expression);
    if (types.mayBeTensor(type) || types.isAny(type)) return;
    const keyType = context.type(key);
    if (keyType.isStringLiteral() || constantOf(key, types) !== undefined) return;
    const kind = types.kinds(type)[0];
    if (kind === 'array' || kind === 'string' || kind === 'any' || kind === undefined) return;
    // Where all the fields that the key may name are of one kind, it does not matter which one it is.
    const kinds = types.kinds(context.type(node));
    const indexed = type.getStringIndexType() ?? type.getNumberIndexType();
    const mixed = kind === 'module' || kinds.length > 1 || (!indexed && ONE_BY_ONE.has(kinds[0] ?? 'any'));
    if (mixed) context.report(key, `which field ‘${context.text(key)}’ names is only known at run time`);
  },
  bad: [
    `const pair = [x, 2] as const;
    const part = pair[n as 0 | 1];
                    //^^^^^^^^^^ JL312: which field ‘n as 0 | 1’ names is only known at run time
    return x;`,
    `export const f = jit.script((x: Tensor, options: { a: number; b: Tensor }, key: 'a' | 'b') => {
      const by = options[key];
                       //^^^ JL312
      return typeof by === 'number' ? x : x.mul(by);
    });`,
  ],
  good: [
    `export const f = jit.script((x: Tensor, options: { a: number; b: number }, key: 'a' | 'b') => x.mul(options[key]));`,
    `export const f = jit.script((x: Tensor, options: Record<string, number>, key: string) => x.mul(options[key] ?? 1));`,
    `const sizes = [1, 2, 3] as const;
    const options = { a: 1 };
    return x.mul(sizes[n as 0]).mul(options['a']);`,
  ],
});
