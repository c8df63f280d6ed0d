/** @file Single ops at sizes that fill a GPU, and their gradients. In: nothing. Out: by name, a function and what makes its inputs. */
import { cat, einsum, rand, stack, type Tensor } from 'jitlens';

export interface OpCase {
  readonly name: string;
  readonly fn: (...xs: Tensor[]) => unknown;
  readonly make: () => Tensor[];
}

type Make = () => Tensor;
const floats =
  (...shape: number[]): Make =>
  () =>
    rand(shape);
const places =
  (below: number, ...shape: number[]): Make =>
  () =>
    rand(shape).mul(below).floor().to('int32');

/** Inputs are as many as `fn` takes. */
function one<A extends readonly Tensor[]>(name: string, fn: (...xs: A) => unknown, ...makes: { [K in keyof A]: Make }): OpCase {
  return { name, fn: fn as unknown as OpCase['fn'], make: () => makes.map((make) => make()) };
}

/** The gradients of the sum of squares, of all inputs that are floats. */
function grad<A extends readonly Tensor[]>(name: string, fn: (...xs: A) => Tensor, ...makes: { [K in keyof A]: Make }): OpCase {
  const gradients = (...xs: Tensor[]) => {
    const leaves = xs.map((x) => (x.dtype === 'float32' ? x.detach().requiresGrad_() : x));
    (fn as unknown as (...xs: Tensor[]) => Tensor)(...leaves)
      .square()
      .sum()
      .backward();
    return leaves.flatMap((x) => x.grad ?? []);
  };
  return { name: `${name} grad`, fn: gradients, make: () => makes.map((make) => make()) };
}

type Pair = readonly [Tensor, Tensor];
const cube = floats(64, 256, 1024);
const image = floats(16, 64, 128, 128);

const along = (d: number): OpCase[] => [
  one<[Tensor]>(`sum ${d}`, (x) => x.sum({ dim: d }), cube),
  one<[Tensor]>(`var ${d}`, (x) => x.var({ dim: d }), cube),
  one<[Tensor]>(`max ${d}`, (x) => x.max(d), cube),
  one<[Tensor]>(`argmax ${d}`, (x) => x.argmax(d), cube),
  one<[Tensor]>(`softmax ${d}`, (x) => x.softmax(d), cube),
  grad<[Tensor]>(`softmax ${d}`, (x) => x.softmax(d), cube),
  one<[Tensor]>(`logsumexp ${d}`, (x) => x.logsumexp(d), cube),
  one<[Tensor]>(`cumsum ${d}`, (x) => x.cumsum(d), cube),
  one<[Tensor]>(`sort ${d}`, (x) => x.sort(d), floats(64, 256, 256)),
  one<[Tensor]>(`flip ${d}`, (x) => x.flip([d]), cube),
  one<Pair>(`cat ${d}`, (x, y) => cat([x, y], d), cube, cube),
  one<Pair>(`gather ${d}`, (x, at) => x.gather(d, at), floats(256, 256, 256), places(256, 256, 256, 256)),
];

type ConvOptions = Parameters<Tensor['conv2d']>[2];
const conv = (name: string, x: Make, weight: Make, options?: ConvOptions): OpCase[] => [
  one<Pair>(`conv ${name}`, (a, w) => a.conv2d(w, undefined, options), x, weight),
  grad<Pair>(`conv ${name}`, (a, w) => a.conv2d(w, undefined, options), x, weight),
];

export const opCases: readonly OpCase[] = [
  ...[0, 1, 2].flatMap(along),
  one<[Tensor]>('sum all', (x) => x.sum(), cube),
  one<[Tensor]>('argmax all', (x) => x.argmax(), cube),
  one<[Tensor]>('norm all', (x) => x.norm(), cube),
  one<Pair>('mse', (x, y) => x.mseLoss(y), cube, cube),
  one<Pair>('dot', (x, y) => x.dot(y), floats(1 << 24), floats(1 << 24)),
  one<Pair>('matrix by vector', (x, y) => x.mv(y), floats(4096, 4096), floats(4096)),
  one<Pair>('vector by matrix', (x, y) => x.matmul(y), floats(4096), floats(4096, 4096)),
  one<Pair>('rows by 10 columns', (x, y) => x.matmul(y), floats(65536, 256), floats(256, 10)),
  one<Pair>('rows by 16 columns', (x, y) => x.matmul(y), floats(262144, 64), floats(64, 16)),
  one<Pair>('many small products', (x, y) => x.bmm(y), floats(4096, 16, 16), floats(4096, 16, 16)),
  one<Pair>('scores of heads', (x, y) => einsum('bqhd,bkhd->bhqk', [x, y]), floats(8, 256, 8, 64), floats(8, 256, 8, 64)),
  one<[Tensor]>('transpose', (x) => x.transpose(0, 1).contiguous(), floats(4096, 4096)),
  one<Pair>('transpose add', (x, y) => x.t().add(y), floats(4096, 4096), floats(4096, 4096)),
  one<Pair>('transpose both', (x, y) => x.t().mul(y.t()), floats(4096, 4096), floats(4096, 4096)),
  one<[Tensor]>('channels last', (x) => x.permute([0, 2, 3, 1]).contiguous(), image),
  one<[Tensor]>('channels first', (x) => x.permute([0, 3, 1, 2]).contiguous(), floats(16, 128, 128, 64)),
  one<[Tensor]>('heads', (x) => x.permute([0, 2, 1, 3]).contiguous(), floats(16, 1024, 16, 64)),
  one<Pair>('stack', (x, y) => stack([x, y], -1), cube, cube),
  one<[Tensor]>('topk', (x) => x.topk(8), floats(4096, 1024)),
  one<[Tensor]>('dropout', (x) => x.dropout(0.5), cube),
  ...[one, grad].flatMap((of) => [
    of<[Tensor, Tensor, Tensor]>(
      'layerNorm',
      (x, w, b) => x.layerNorm([1024], w, b),
      floats(16384, 1024),
      floats(1024),
      floats(1024),
    ),
    of<[Tensor]>('batchNorm', (x) => x.batchNorm({ training: true }), image),
    of<[Tensor]>('groupNorm', (x) => x.groupNorm(8), image),
    of<[Tensor]>('maxPool', (x) => x.maxPool2d(2), image),
    of<[Tensor]>('bilinear', (x) => x.interpolate({ scaleFactor: 2, mode: 'bilinear' }), floats(16, 64, 64, 64)),
    of<Pair>('crossEntropy', (x, y) => x.crossEntropy(y), floats(4096, 1000), places(1000, 4096)),
    of<Pair>('crossEntropy of pixels', (x, y) => x.crossEntropy(y), floats(8, 21, 256, 256), places(21, 8, 256, 256)),
    of<Pair>('embedding', (w, at) => at.embedding(w), floats(5000, 512), places(5000, 64, 256)),
    of<[Tensor, Tensor, Tensor]>(
      'linear',
      (x, w, b) => x.linear(w, b).relu(),
      floats(4096, 1024),
      floats(1024, 1024),
      floats(1024),
    ),
  ]),
  one<Pair>('scatterAdd', (x, at) => x.scatterAdd(0, at, x), floats(4096, 256), places(4096, 4096, 256)),
  ...conv('64-64 3x3', floats(16, 64, 56, 56), floats(64, 64, 3, 3), { padding: 1 }),
  ...conv('3-64 7x7 stride 2', floats(16, 3, 224, 224), floats(64, 3, 7, 7), { stride: 2, padding: 3 }),
  ...conv('64-128 3x3 stride 2', floats(16, 64, 56, 56), floats(128, 64, 3, 3), { stride: 2, padding: 1 }),
  ...[one, grad].map((of) =>
    of<Pair>(
      'conv transposed 4x4 stride 2',
      (x, w) => x.convTranspose2d(w, undefined, { stride: 2, padding: 1 }),
      floats(16, 128, 32, 32),
      floats(128, 64, 4, 4),
    ),
  ),
  ...conv('256-64 1x1', floats(16, 256, 56, 56), floats(64, 256, 1, 1)),
  ...conv('64-3 3x3', floats(4, 64, 256, 256), floats(3, 64, 3, 3), { padding: 1 }),
  ...conv('depthwise', floats(16, 128, 56, 56), floats(128, 1, 3, 3), { padding: 1, groups: 128 }),
];
