/** Blocks of attention on a GPU: all sizes of the table give the same, in the memory that a workgroup has. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Tensor } from 'jitlens';
import { SIZES as BLOCKS } from '../../../runtime/kernels/walk.ts';
import { taking } from '../support/candidates.ts';
import { firstOff } from '../support/compare.ts';
import { CLOSE, kernelsOf, traceOf } from '../support/traces.ts';
import { expected, forms, inputsOf, madeForGpu, type Sizes } from '../support/walks.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

describe('blocks of every size give the same', () => {
  /** Of the kernels that ran: rows, keys and terms of their blocks, and the scores of a thread. */
  const seen = new Set<string>();

  const all = [
    [128, 64, 8, 64, 0],
    [128, 64, 8, 64, 1],
    [128, 64, 8, 64, 2],
    [64, 128, 16, 64, 2],
    [64, 64, 18, 100, 3],
    [128, 128, 6, 21, 1],
    [31, 130, 6, 40, 0],
    [31, 130, 6, 40, 1],
    [31, 130, 6, 40, 2],
    [70, 31, 6, 33, 3],
  ] as const;

  test.each(all)('%d queries, %d keys of %d, %d columns: candidate %d', async (queries, keys, features, columns, n) => {
    // What was tried is remembered for kernels that are the same.
    const sizes: Sizes = { batch: [100 + n], queries, keys, features, columns };
    const form = forms['the op, causal'];
    if (!form) throw new Error('no form');
    const memory = madeForGpu();
    taking(n, (wgsl) => wgsl.includes('weights_staged'));
    const traced = traceOf(form.fn, inputsOf(sizes));
    const got = [...(await (traced(...inputsOf(sizes)) as Tensor).data())];
    expect(firstOff(got, await expected(sizes, inputsOf(sizes), form), CLOSE)).toBeUndefined();
    const [kernel, ...others] = kernelsOf(traced).map((k) => k.kernel);
    expect([kernel?.schedule, others]).toEqual([expect.stringMatching(/^workgroup per rows/), []]);
    const text = kernel?.text.wgsl ?? '';
    const elements = [...text.matchAll(/^var<workgroup> \w+: array<(vec4<f32>|f32), (\d+)>/gm)];
    const bytes = elements.reduce((sum, [, type, count]) => sum + (type === 'f32' ? 4 : 16) * Number(count), 0);
    expect(bytes).toBeLessThanOrEqual(memory);
    // Neighbouring threads load neighbours in memory: of queries and keys those along their features, of values those of a key.
    expect([...text.matchAll(/let (rows|columns)_spot = lane ([/%])/g)].map(([, ...side]) => side.join(' '))).toEqual([
      'rows /',
      'columns /',
      'columns %',
    ]);
    const number = (pattern: RegExp) => Number(pattern.exec(text)?.[1]);
    const [wide, tall] = [number(/rows_from = \(block % \d+\) \* (\d+)/), number(/columns_from \+= (\d+)/)];
    const thread = [wide / (number(/@workgroup_size\((\d+)\)/) / number(/columns_of = lane % (\d+)/))];
    seen.add([wide, tall, number(/rows_term = lane % (\d+)/), ...thread, tall / number(/columns_of = lane % (\d+)/)].join());
  });

  test('none is left out', () => {
    const every = BLOCKS.map(({ block, thread }) => [block.rows, block.keys, block.depth, thread.rows, thread.keys].join());
    expect([...seen].sort()).toEqual(every.sort());
  });
});
