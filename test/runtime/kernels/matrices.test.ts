/** Products of halves by matrix units: which products they are chosen for, and their values where a device has them. */
import { describe, expect, test } from 'vitest';
import { rand, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { buildKernel, planSection } from '../../../runtime/kernels/kernel.ts';
import { lower } from '../../../runtime/kernels/lower.ts';
import { Templates } from '../../../runtime/kernels/template.ts';
import { fuse } from '../../../runtime/passes/fuse.ts';
import { optimise } from '../../../runtime/passes/pipeline.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import { onReference } from '../support/devices.ts';
import { addedUp } from '../support/matrix-steps.ts';
import { randomTensor } from '../support/random.ts';
import { compared, onlyTrace, traceOf } from '../support/traces.ts';

type Form = readonly [
  name: string,
  fn: (x: Tensor, y: Tensor, z: Tensor) => Tensor,
  x: readonly number[],
  y: readonly number[],
  z?: readonly number[],
];
/** Which factors are read in vectors of eight halves, by their names in the text. */
type Octets = readonly ('rows' | 'columns')[];

const FORMS: readonly (readonly [...Form, octets: Octets])[] = [
  ['a matrix by a matrix', (x, y) => x.matmul(y), [128, 64], [64, 96], [1], ['rows', 'columns']],
  ['many blocks', (x, y) => x.matmul(y), [260, 200], [200, 520], [1], ['rows', 'columns']],
  ['the right one transposed', (x, y) => x.matmul(y.t()), [130, 72], [200, 72], [1], ['rows', 'columns']],
  ['the left one transposed', (x, y) => x.t().matmul(y), [72, 136], [72, 64], [1], ['rows', 'columns']],
  ['terms that fill no vector', (x, y) => x.matmul(y), [64, 51], [51, 64], [1], ['columns']],
  ['columns that fill no vector', (x, y) => x.matmul(y), [65, 48], [48, 70], [1], ['rows']],
  ['terms that fill no step', (x, y) => x.matmul(y), [64, 72], [72, 64], [1], ['rows', 'columns']],
  ['more steps than are written out', (x, y) => x.matmul(y), [64, 600], [600, 72], [1], ['rows', 'columns']],
  ['matrices by matrices', (x, y) => x.matmul(y), [3, 40, 48], [3, 48, 64], [1], ['rows', 'columns']],
  ['what follows a product', (x, y, z) => x.matmul(y).add(z).relu(), [64, 64], [64, 64], [64], ['rows', 'columns']],
  ['what is added lies in a factor', (x, y) => x.matmul(y).add(x), [64, 64], [64, 64], [1], ['columns']],
  ['a convolution', (x, y) => x.conv2d(y, undefined, { padding: 1 }), [2, 8, 12, 12], [32, 8, 3, 3], [1], []],
];

/** The schedule and text of the only kernel, for a device that has the units; the first `together` tensors lie in one storage. */
function made(
  [, fn, x, y, z = [1]]: Form,
  subgroup: number | 'none' = 32,
  dtype: 'float16' | 'float32' = 'float16',
  together = 0,
) {
  return onReference(() => {
    const [a, b, c] = [x, y, z].map((shape) => rand(shape).to(dtype));
    if (!a || !b || !c) throw new Error('no inputs');
    const { graph } = optimise(onlyTrace(traceOf(fn, [a, b, c])).recorded);
    const [group, ...more] = fuse(graph, { maxStorageBuffers: 8 }).groups;
    if (!group || more.length > 0) throw new Error('not one kernel');
    const lowered = lower(group);
    const types = [...lowered.reads, ...lowered.roots].map((node) => node.meta.dtype);
    const one = { position: 0 };
    const storageOf = (position: number) => ({
      storage: position < together ? one : { position },
      dtype: types[position] ?? dtype,
    });
    const target = {
      kind: 'gpu',
      workgroupMemory: 49152,
      subgroup: subgroup === 'none' ? undefined : subgroup,
    } as const;
    const section = planSection(lowered, storageOf, { parametric: false, target });
    /** The kernel among those of its other sizes. */
    const among = (templates: Templates, varying: number[] = []) =>
      templates.kernel('product', lowered, storageOf, target, (n) => varying.includes(n)).text.wgsl;
    return { plan: section.schedule, text: buildKernel([section], false).text.wgsl, among };
  });
}

describe('matrix units are chosen', () => {
  test.each(FORMS)('for %s', (...form) => {
    const [name, fn, x, y, z, octets] = form;
    const { plan, text } = made([name, fn, x, y, z]);
    const { rows, columns } = plan.matrices ?? {};
    expect([rows, columns].filter((s) => s?.octet).map((s) => s?.name)).toEqual(octets);
    expect(text.match(/array<vec4<u32>>;/g) ?? []).toHaveLength(octets.length);
    expect(text).toContain('enable chromium_experimental_subgroup_matrix;');
  });

  const [plain] = FORMS;
  const [name, fn, x, y] = plain ?? [];
  const product = (...args: [number | 'none', ('float16' | 'float32')?]) => {
    if (!name || !fn || !x || !y) throw new Error('no forms');
    return made([name, fn, x, y], ...args);
  };
  test('not where a device has none', () => {
    const { plan, text } = product('none');
    expect(plan.matrices).toBeUndefined();
    expect(text).not.toContain('subgroup');
  });
  test('not for float32, which they would round', () => {
    expect(product(32, 'float32').plan.matrices).toBeUndefined();
  });
  test('not where an extent varies, whichever it is', () => {
    if (!name || !fn) throw new Error('no forms');
    const of = (rows: number, terms: number, columns: number) => made([name, fn, [rows, terms], [terms, columns]]);
    const first = of(128, 64, 96);
    for (const extent of [128, 64, 96]) expect(first.among(new Templates(), [extent])).not.toContain('subgroup');
    for (const other of [of(256, 64, 96), of(128, 80, 96), of(128, 64, 160)]) {
      const templates = new Templates();
      expect(first.among(templates)).toContain('subgroupMatrixLoad');
      expect(other.among(templates)).not.toContain('subgroup');
      expect(first.among(templates)).not.toContain('subgroup');
      expect(templates.made).toBe(2);
    }
  });
  test.each<[string, Form, number, Octets]>([
    ['vectors', ['both in vectors', (x, y) => x.matmul(y), [128, 64], [64, 96]], 2, ['rows', 'columns']],
    ['halves', ['one in halves', (x, y) => x.matmul(y), [64, 48], [48, 70]], 2, []],
    ['halves', ['a summand beside', (x, y, z) => x.matmul(y).add(z), [64, 64], [64, 64], [64]], 3, []],
  ])('%s are read of tensors in one storage: %s', (_which, form, together, octets) => {
    const { plan, text, among } = made(form, 32, 'float16', together);
    const { rows, columns } = plan.matrices ?? {};
    expect([rows, columns].filter((s) => s?.octet).map((s) => s?.name)).toEqual(octets);
    for (const wgsl of [text, among(new Templates())])
      expect(wgsl.match(/read> b\d: array<[^;]*/g)).toEqual([
        octets.length > 0 ? 'read> b1: array<vec4<u32>>' : 'read> b1: array<f16>',
      ]);
  });
  test('with as many threads as their subgroups have', () => {
    expect(product(64).plan.workgroupSize).toBe(2 * product(32).plan.workgroupSize);
  });
  test('in blocks of which each thread stages as much as any other', () => {
    for (const subgroup of [16, 32, 64]) {
      const { rows, columns, threads = NaN } = product(subgroup).plan.matrices ?? {};
      for (const s of [rows, columns]) expect(((s?.lines ?? NaN) * (s?.vectors ?? NaN)) % threads).toBe(0);
    }
  });
});

describe('each unit of terms is added up once, in order, from buffers that are whole', () => {
  const times: Record<string, Form[1]> = {
    plain: (x, y) => x.matmul(y),
    'the right one transposed': (x, y) => x.matmul(y.t()),
    'the left one transposed': (x, y) => x.t().matmul(y),
  };
  // A single step, some, as many as are written out in a row, and more; then one for each size of block.
  const cases = [
    ...Object.keys(times).flatMap((form) =>
      [32, 40, 96, 192, 200, 416].map((terms) => ({ form, rows: 64, terms, columns: 128 })),
    ),
    { form: 'plain', rows: 512, terms: 224, columns: 512 },
    { form: 'plain', rows: 704, terms: 224, columns: 768 },
    { form: 'plain', rows: 1024, terms: 224, columns: 1024 },
    { form: 'plain', rows: 1408, terms: 224, columns: 1536 },
    { form: 'plain', rows: 2048, terms: 112, columns: 2048 },
  ];
  test.each(cases)('$form, $rows × $terms × $columns', ({ form, rows, terms, columns }) => {
    const fn = times[form];
    if (!fn) throw new Error('no such form');
    const x = form.includes('left') ? [terms, rows] : [rows, terms];
    const y = form.includes('right') ? [columns, terms] : [terms, columns];
    const { plan, text } = made([form, fn, x, y]);
    const { block, part } = plan.matrices ?? {};
    if (!block || !part) throw new Error('no matrix units');
    const units = block.depth / 16;
    const all = Array.from({ length: Math.ceil(terms / block.depth) * units }, (_, n) => ({
      step: Math.floor(n / units),
      k: n % units,
    }));
    const sums = addedUp(text);
    expect(sums.size).toBe((part.rows * part.columns) / 256);
    for (const sum of sums.values()) expect(sum).toEqual({ left: all, right: all });
  });
});

const backend = currentBackend();
const units = backend instanceof GpuBackend && backend.gpu.target.subgroup !== undefined;
describe('values by matrix units', () => {
  // Elsewhere the text cannot be run; the forms are then compared as they are computed there, in float32.
  test.each(FORMS)('of %s', async (_name, fn, x, y, z) => {
    const dtype = units ? 'float16' : 'float32';
    const inputs = (): [Tensor, Tensor, Tensor] => [
      randomTensor(x, 1, 1).to(dtype),
      randomTensor(y, 2, 1).to(dtype),
      randomTensor(z ?? [1], 3, 1).to(dtype),
    ];
    const close = { relative: 2e-3, absolute: units ? 2e-2 : 1e-4 };
    const traced = await compared(fn, inputs, close);
    const text = onlyTrace(traced).plan?.kernels.at(-1)?.kernel.text.wgsl ?? '';
    expect(text.includes('subgroupMatrixLoad')).toBe(units);
  });
});
