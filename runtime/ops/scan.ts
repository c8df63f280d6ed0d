/**
 * @file Scans: each element with all before it along a dim. In: a tensor, a dim. Out: the same shape. Of each row the threads of
 * one workgroup go along the dim; few rows that are very long are cut into blocks, as many rows more, and what is before each
 * block is scanned in the same way and joined to it.
 */
import { normalizeDim } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { op, scan, type Op } from './define.ts';
import { noGrad } from './tape.ts';

type Scan = Op<[x: Tensor, dim: number]>;

/** Up to here, or with so many rows, one kernel does it all. */
const WHOLE = 1 << 15;
const ROWS = 64;
const BLOCK = 1 << 12;

interface Blocked {
  readonly base: Scan;
  readonly identity: number;
  readonly join: (before: Tensor, block: Tensor) => Tensor;
  readonly grad: (g: Tensor, out: Tensor, x: Tensor, dim: number) => Tensor;
}

/** The scan of any length. Its gradient is that of the whole, however it is computed. */
function blocked(form: Blocked): Scan {
  return op({ ...form.base.entry, grad: (g, out, x, dim) => [form.grad(g, out, x, dim)] }, (x, dim) =>
    noGrad(() => inBlocks(form, x, normalizeDim(dim, x.rank, form.base.entry.name))),
  );
}

function inBlocks(form: Blocked, x: Tensor, d: number): Tensor {
  const { base, identity, join } = form;
  const size = x.shape[d] ?? 1;
  if (size <= WHOLE || x.numel >= ROWS * size) return base(x, d);
  const blocks = Math.ceil(size / BLOCK);
  const around = (along: Tensor, before: number, after: number) =>
    along.pad([...new Array<number>(2 * (along.rank - 1 - d)).fill(0), before, after], identity);
  const missing = blocks * BLOCK - size;
  const own = base((missing > 0 ? around(x, 0, missing) : x).unflatten(d, [blocks, BLOCK]), d + 1);
  const before = around(inBlocks(form, own.select(d + 1, BLOCK - 1), d).slice(d, 0, blocks - 1), 1, 0);
  const all = join(own, before.unsqueeze(d + 1)).flatten(d, d + 1);
  return missing > 0 ? all.slice(d, 0, size).contiguous() : all;
}

/** The sum of the elements up to each place of `dim`. */
export const cumsum: Scan = blocked({
  base: scan({
    name: 'cumsum',
    identity: 0,
    combine: 'a + b',
    reference: (a, b) => a + b,
    tolerance: { relative: 1e-5, absolute: 1e-5 },
    samples: ['f32[7] 0', 'f32[3,70] 1', 'f32[3,4,5] -2', 'i32[6,3] 0', 'f32[] 0', 'f32[300,2] 0'],
    onnx: 'CumSum',
  }),
  identity: 0,
  join: (own, before) => own.add(before),
  grad: (g, _out, _x, dim) => sumFrom(g, dim),
});

/** The product of the elements up to each place of `dim`. */
export const cumprod: Scan = blocked({
  base: scan({
    name: 'cumprod',
    identity: 1,
    combine: 'a * b',
    reference: (a, b) => a * b,
    domain: [0.95, 1.05],
    tolerance: { relative: 1e-4 },
    samples: ['f32[7] 0', 'f32[3,70] 1', 'f32[3,4,5] -2', 'i32[6,3] 0', 'f32[] 0', 'f32[2,300] 1'],
  }),
  identity: 1,
  join: (own, before) => own.mul(before),
  // Behind the first zero all is 0 whatever the elements are; at it, the others' product counts.
  grad: (g, out, x, dim) => {
    if (x.rank === 0) return g;
    const none = x.eq(0);
    const zeros = none.to('int32').cumsum(dim);
    const first = none.logicalAnd(zeros.eq(1));
    const before = sumFrom(g.mul(out), dim).div(none.where(1, x));
    const at = sumFrom(g.mul(first.where(1, x).cumprod(dim)), dim);
    return zeros.eq(0).where(before, first.where(at, 0));
  },
});

/** The sum of the elements from each place of `dim` on. */
function sumFrom(x: Tensor, dim: number): Tensor {
  return x.rank === 0 ? x : x.flip([dim]).cumsum(dim).flip([dim]);
}
