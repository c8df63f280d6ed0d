/**
 * @file Sums of products in Einstein's notation, and products of matrices with something added. In: tensors and which of
 * their dims are one. Out: sums over the dims that do not stay. Two operands are multiplied and summed by one kernel.
 */
import { JitLensError } from '../errors.ts';
import { constant, type Index } from '../tensor/affine.ts';
import { formatShape, numel, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { apply } from './apply.ts';
import { composite, contractSpec, op, type Op } from './define.ts';
import type { Attributes, HostView } from './spec.ts';

const CONTRACT = { tolerance: { relative: 2e-5, absolute: 2e-5 }, domain: [-1, 1] as const };

/** A letter for each dim of the left operand, of the right one, and of the result. Each once in each. */
type Labels = { readonly left: string; readonly right: string; readonly out: string };
const each = (text: string): string[] => Array.from(text);
const labelsOf = (attributes: Attributes): Labels => attributes as unknown as Labels;

/** Every letter's size; a size of 1 stands for any. */
function sizesOf(shapes: readonly Shape[], labels: readonly string[]): Map<string, number> {
  const sizes = new Map<string, number>();
  labels.forEach((list, i) => {
    each(list).forEach((letter, d) => {
      const [size, seen] = [shapes[i]?.[d] ?? 1, sizes.get(letter) ?? 1];
      if (size !== 1 && seen !== 1 && size !== seen) {
        throw new JitLensError(
          'JL410',
          `einsum: a dim is ${seen} and ${size} long in ${shapes.map(formatShape).join(' and ')}`,
          'Dims under one letter have one size, or 1.',
        );
      }
      sizes.set(letter, seen === 1 ? size : seen);
    });
  });
  return sizes;
}

const summedOf = ({ left, right, out }: Labels): string[] => [...new Set(left + right)].filter((x) => !out.includes(x));
const sizesFor = (shapes: readonly Shape[], { left, right }: Labels) => sizesOf(shapes, [left, right]);

const pairSpec = contractSpec<[Tensor, Tensor, Labels]>({
  ...CONTRACT,
  name: 'einsum',
  shape: (shapes, a) => each(labelsOf(a).out).map((x) => sizesFor(shapes, labelsOf(a)).get(x) ?? 1),
  extents: (shapes, a) => summedOf(labelsOf(a)).map((x) => sizesFor(shapes, labelsOf(a)).get(x) ?? 1),
  sources: (out, summed, shapes, a) => {
    const labels = labelsOf(a);
    const letters = [...each(labels.out), ...summedOf(labels)];
    const all: readonly Index[] = [...out, ...summed];
    const place = (list: string, shape: Shape = []) =>
      each(list).map((x, d) => (shape[d] === 1 ? constant(0) : (all[letters.indexOf(x)] ?? constant(0))));
    return [{ index: place(labels.left, shapes[0]) }, { index: place(labels.right, shapes[1]) }];
  },
  reference: (operands, a) => multiplied(operands, labelsOf(a)),
  onnx: 'Einsum',
});

/** One pass over all values of all letters. */
function multiplied([a, b]: readonly HostView[], labels: Labels): Float64Array {
  if (!a || !b) return new Float64Array();
  const sizes = sizesFor([a.shape, b.shape], labels);
  const letters = [...sizes.keys()];
  const out = new Float64Array(numel(each(labels.out).map((x) => sizes.get(x) ?? 1)));
  const at = new Map(letters.map((x) => [x, 0]));
  const flat = (list: string, shape: Shape) =>
    each(list).reduce((sum, x, d) => sum * (shape[d] ?? 1) + (shape[d] === 1 ? 0 : (at.get(x) ?? 0)), 0);
  const outShape = each(labels.out).map((x) => sizes.get(x) ?? 1);
  for (let n = 0; n < numel([...sizes.values()]); n++) {
    let rest = n;
    for (const x of letters) {
      at.set(x, rest % (sizes.get(x) ?? 1));
      rest = Math.floor(rest / (sizes.get(x) ?? 1));
    }
    const place = flat(labels.out, outShape);
    out[place] = (out[place] ?? 0) + (a.data[flat(labels.left, a.shape)] ?? NaN) * (b.data[flat(labels.right, b.shape)] ?? NaN);
  }
  return out;
}

/** The sum of products of two operands. Every letter of one is in the other or in the result. */
const pair: Op<[a: Tensor, b: Tensor, labels: Labels]> = op(
  {
    ...CONTRACT,
    name: 'einsum',
    spec: pairSpec,
    samples: [],
    grad: (g, _out, a, b, { left, right, out }) => [
      pair(g, b, { left: out, right, out: left }),
      pair(g, a, { left: out, right: left, out: right }),
    ],
  },
  (a, b, labels) => apply(pairSpec, [a, b], labels),
);

/** Letters for the dims that `...` stands for, last first; none of them is a letter. */
const ELLIPSIS = '0123456789';

interface Equation {
  readonly inputs: readonly string[];
  readonly out: string;
}

function wrong(equation: string, tensors: readonly Tensor[]): JitLensError {
  return new JitLensError(
    'JL410',
    `einsum: '${equation}' for ${tensors.map((x) => formatShape(x.shape)).join(', ')}`,
    "Write a letter for each dim of each tensor, as in 'bij,bjk->bik'; '...' stands for any more; the result has each once.",
  );
}

/** The equation with a letter for every dim, and a result. */
function parsed(equation: string, tensors: readonly Tensor[]): Equation {
  const text = equation.replaceAll(' ', '');
  const [left = '', result, ...more] = text.split('->');
  const terms = left.split(',');
  if (more.length > 0 || terms.length !== tensors.length || !/^[a-zA-Z.,]*$/.test(left + (result ?? ''))) {
    throw wrong(equation, tensors);
  }
  let widest = '';
  const inputs = terms.map((term, i) => {
    const letters = term.replace('...', '');
    const extra = (tensors[i]?.rank ?? 0) - letters.length;
    if (letters.includes('.') || extra < 0 || (extra > 0 && letters === term) || extra > ELLIPSIS.length) {
      throw wrong(equation, tensors);
    }
    const dims = each(ELLIPSIS.slice(0, extra)).reverse().join('');
    if (dims.length > widest.length) widest = dims;
    return term.replace('...', dims);
  });
  const letters = each(left.replaceAll(/[.,]/g, ''));
  const once = letters.filter((x) => letters.indexOf(x) === letters.lastIndexOf(x)).sort();
  const out = result === undefined ? widest + once.join('') : result.replace('...', widest);
  const known = new Set(inputs.join(''));
  if (new Set(out).size !== out.length || each(out).some((x) => !known.has(x))) throw wrong(equation, tensors);
  return { inputs, out };
}

interface Operand {
  readonly x: Tensor;
  readonly letters: string;
}

/** The operand with each letter once, and without those that nobody else wants. */
function reduced({ x, letters }: Operand, wanted: string): Operand {
  let [value, left] = [x, letters];
  for (const letter of new Set(letters)) {
    for (let second = left.lastIndexOf(letter); second !== left.indexOf(letter); second = left.lastIndexOf(letter)) {
      const first = left.indexOf(letter);
      if (value.size(first) !== value.size(second)) sizesOf([[value.size(first)], [value.size(second)]], [letter, letter]);
      value = value.diagonal(0, first, second);
      left =
        each(left)
          .filter((_, d) => d !== first && d !== second)
          .join('') + letter;
    }
  }
  const dim = each(left).flatMap((letter, d) => (wanted.includes(letter) ? [] : [d]));
  return dim.length === 0
    ? { x: value, letters: left }
    : {
        x: value.sum({ dim }),
        letters: each(left)
          .filter((c) => wanted.includes(c))
          .join(''),
      };
}

function ordered({ x, letters }: Operand, out: string): Tensor {
  return letters === out ? x : x.permute(each(out).map((letter) => letters.indexOf(letter)));
}

/**
 * The sum of products that an equation such as `'bij,bjk->bik'` says: a letter for each dim, dims under one letter are one,
 * letters that the result lacks are summed over. A letter twice in one term is the diagonal; `...` stands for dims that
 * broadcast; without `->` the result has the letters that stand once, in alphabetical order. Several operands are taken
 * from left to right.
 */
export const einsum: Op<[equation: string, tensors: readonly Tensor[]]> = composite({
  ...CONTRACT,
  name: 'einsum',
  expand: (equation, tensors) => {
    const { inputs, out } = parsed(equation, tensors);
    sizesOf(
      tensors.map((x) => x.shape),
      inputs,
    );
    const wantedAfter = (i: number) => inputs.slice(i + 1).join('') + out;
    const [first, ...rest] = tensors.map((x, i): Operand => ({ x, letters: inputs[i] ?? '' }));
    if (!first) throw wrong(equation, tensors);
    let sum = reduced(first, wantedAfter(0));
    rest.forEach((next, i) => {
      const wanted = wantedAfter(i + 1);
      const right = reduced(next, sum.letters + wanted);
      const left = reduced(sum, right.letters + wanted);
      const letters =
        i === rest.length - 1 ? out : [...new Set(left.letters + right.letters)].filter((x) => wanted.includes(x)).join('');
      sum = { x: pair(left.x, right.x, { left: left.letters, right: right.letters, out: letters }), letters };
    });
    return ordered(sum, out);
  },
  samples: [
    '"ij,jk->ik" (f32[3,4],f32[4,5])',
    '"bij,bkj->bki" (f32[2,3,4],f32[2,5,4])',
    '"ii->i" (f32[4,4])',
    '"iji->j" (f32[3,2,3])',
    '"ij->" (f32[3,5])',
    '"ba" (f32[3,5])',
    '"i,j" (f32[3],f32[4])',
    '"...ij,...jk" (f32[2,1,3,4],f32[5,4,2])',
    '"ij,jk,kl->il" (f32[2,3],f32[3,4],f32[4,5])',
    '"ij,kj->k" (f32[3,4],f32[5,4])',
    '"bii,bj->ij" (f32[2,3,3],f32[2,4])',
  ],
});

/** All products of an element of a and one of b: [n] and [m] make [n, m]. */
export const outer: Op<[a: Tensor, b: Tensor]> = composite({
  ...CONTRACT,
  name: 'outer',
  expand: (a, b) => {
    if (a.rank !== 1 || b.rank !== 1) {
      throw new JitLensError('JL410', `outer of ${formatShape(a.shape)} and ${formatShape(b.shape)}`, 'Both have one dim.');
    }
    return a.unsqueeze(1).mul(b);
  },
  samples: ['f32[3] f32[5]', 'f32[1] f32[1]'],
});

export interface AddProductOptions {
  /** What the first tensor is multiplied by. Default 1. */
  readonly beta?: number;
  /** What the product is multiplied by. Default 1. */
  readonly alpha?: number;
}
type AddProduct = Op<[x: Tensor, a: Tensor, b: Tensor, options?: AddProductOptions]>;

function addProduct(name: string, multiply: (a: Tensor, b: Tensor) => Tensor, samples: readonly string[]): AddProduct {
  return composite({
    ...CONTRACT,
    name,
    samples,
    expand: (x, a, b, { beta = 1, alpha = 1 } = {}) => {
      const product = multiply(a, b);
      const scaled = alpha === 1 ? product : product.mul(alpha);
      // As in PyTorch, a beta of 0 leaves the first tensor out, whatever it holds.
      return beta === 0 ? scaled : scaled.add(beta === 1 ? x : x.mul(beta));
    },
  });
}

/** beta · x + alpha · a · b, for matrices a and b; x broadcasts. */
export const addmm: AddProduct = addProduct('addmm', (a, b) => a.mm(b), [
  'f32[3,5] f32[3,4] f32[4,5]',
  'f32[5] f32[3,4] f32[4,5] {"beta":0.5,"alpha":2}',
]);
/** beta · x + alpha · a · b, for batches of matrices a and b; x broadcasts. */
export const baddbmm: AddProduct = addProduct('baddbmm', (a, b) => a.bmm(b), [
  'f32[2,3,5] f32[2,3,4] f32[2,4,5]',
  'f32[3,1] f32[2,3,4] f32[2,4,5] {"beta":0,"alpha":-1}',
]);

/** out[…, o] = Σ x1[…, i] · weight[o, i, j] · x2[…, j] + bias[o]. */
export const bilinear: Op<[x1: Tensor, x2: Tensor, weight: Tensor, bias?: Tensor]> = composite({
  ...CONTRACT,
  name: 'bilinear',
  expand: (x1, x2, weight, bias) => {
    const products = einsum('...oj,...j->...o', [einsum('...i,oij->...oj', [x1, weight]), x2]);
    return bias ? products.add(bias) : products;
  },
  samples: ['f32[2,3] f32[2,4] f32[5,3,4] f32[5]', 'f32[2,6,3] f32[2,6,4] f32[1,3,4]', 'f32[3] f32[4] f32[2,3,4]'],
});
