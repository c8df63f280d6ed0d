/** @file JL405: a loop whose count is a size. In: `for…of`. Out: a hint for each size; in traced code a warning. */
import type { Context } from '../../context.ts';
import { defineRule } from '../../define.ts';
import { shapeRead } from '../../facts/dims.ts';
import { bare, walk } from '../../facts/functions.ts';
import { isCut } from '../../facts/loops.ts';
import { constantOf } from '../../facts/numbers.ts';
import { isRange, tensorCall } from '../../facts/uses.ts';
import { resolved } from '../../facts/writes.ts';
import { ts, type TS } from '../../typescript.ts';

export const shapeLoop = defineRule({
  code: 'JL405',
  title: 'A loop over a size',
  severity: 'hint',
  traced: true,
  doc: `
    A loop that turns once for each row has the count of the first call, guarded: another size compiles again, also where the
    dimension is dynamic, since it has other turns. Where the count
    comes in as a parameter, it is a loop. A trace writes out the turns that its inputs had. There is no quick fix: whether all rows can be
    computed by one op, as \`sum\` over a dimension does, only the loop's meaning tells.`,
  pytorch: 'The tracer writes the turns out silently, and sums 4 rows of 8 when it was traced with 4.',
  on: 'ForOfStatement',
  check(node, context) {
    const size = sizeOf(node, context);
    if (size === undefined || !context.once(size)) return;
    const others: TS.ForOfStatement[] = [];
    if (context.unit)
      walk(context.unit, (other) => {
        if (other !== node && ts.isForOfStatement(other) && sizeOf(other, context) === size) others.push(other);
        return true;
      });
    context.report(
      bare(node.expression),
      context.running === 'traced'
        ? 'the trace writes out as many turns as this size'
        : 'unrolled for this size; another one compiles again',
      { related: others.map((other) => ({ message: 'so is this loop over it', node: bare(other.expression) })) },
    );
  },
  bad: [
    `let z = y;
    for (const i of range(x.size(0))) z = z.add(x.select(0, i));
                  //^^^^^^^^^^^^^^^^ JL405: unrolled for this size; another one compiles again
    return z;`,
    `let z = y;
    for (const i of range(x.size(0))) z = z.add(x.select(0, i));
                  //^^^^^^^^^^^^^^^^ JL405
    const rows = x.shape[0] as number;
    for (const i of range(rows)) z = z.mul(i);
    for (const row of x.unbind()) z = z.add(row);
    for (const i of range(x.size(1))) z = z.add(i);
                  //^^^^^^^^^^^^^^^^ JL405
    return z;`,
    `let z = x;
    for (const row of z.unbind()) z = row.add(z);
                    //^^^^^^^^^^ JL405
    for (const row of z.unbind()) z = row.add(z);
                    //^^^^^^^^^^ JL405
    return z;`,
    `export const f = jit.trace((x: Tensor) => {
      let z = x.sum();
      for (const row of x.unbind()) z = z.add(row.sum());
                      //^^^^^^^^^^ JL405: the trace writes out as many turns as this size
      return z;
    }, [rand([2, 2])]);`,
  ],
  good: [
    `let z = x;
    for (const i of range(n)) z = z.add(i);
    return z;`,
    `let z = x;
    for (const part of y.chunk(2)) z = z.add(part.sum());
    return z;`,
  ],
});

/** The size that a loop turns for: equal for loops over one dim of a tensor whose name nothing else takes. */
function sizeOf(node: TS.ForOfStatement, context: Context): unknown {
  const { types, writes } = context;
  const walked = bare(node.expression);
  const read = isRange(walked, types) ? shapeRead(walked, context) : undefined;
  const unbound = isCut(walked, types) ? tensorCall(walked, types) : undefined;
  if (!read && unbound?.name !== 'unbind') return undefined;
  const [first, ...more] = ts.isCallExpression(walked) ? walked.arguments : [];
  let dim = unbound && !first ? 0 : first && constantOf(first, types);
  let on = unbound?.on;
  if (read) {
    const counted = first && resolved(first, types);
    // Of a sum of sizes, each is a cause of its own.
    if (more.length > 0 || (counted !== read.node && counted !== read.node.parent)) return node;
    ({ dim } = read);
    const { node: at } = read;
    on = tensorCall(at, types)?.on ?? (ts.isPropertyAccessExpression(at) ? at.expression : undefined);
  }
  const tensor = on && bare(on);
  const symbol = tensor && ts.isIdentifier(tensor) ? types.symbol(tensor) : undefined;
  const declaration = symbol?.declarations?.[0];
  if (!declaration || dim === undefined || writes.of(symbol).some(({ kind }) => kind === 'assign')) return node;
  return `${declaration.getSourceFile().fileName} ${declaration.pos} ${dim}`;
}
