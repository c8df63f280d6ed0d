/** @file Inputs like those of an example. In: the example's tensors. Out: others of the same kind, of the same and of other sizes. */
import type { Tree } from '../jit/tree.ts';
import { rand, randint } from '../tensor/create.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Tensor } from '../tensor/tensor.ts';

/** Random tensors over the range of the example's, of other shapes if so wished. */
export async function fresh(example: Tree, shapes: readonly (readonly number[])[]): Promise<Tree> {
  const tensors: Tensor[] = [];
  for (const [i, x] of example.tensors.entries()) {
    const values = await x.data();
    const shape = shapes[i] ?? x.shape;
    let [low, high] = [Infinity, -Infinity];
    for (const v of values) [low, high] = [Math.min(low, v), Math.max(high, v)];
    if (low > high) [low, high] = [0, 0];
    tensors.push(
      isFloat(x.dtype)
        ? rand(shape, { dtype: x.dtype })
            .mul(high - low)
            .add(low)
        : randint(low, high + 1, shape, { dtype: x.dtype }),
    );
  }
  return { ...example, tensors };
}

/** Each size of the example made one larger, wherever it stands. */
export function otherSizes(example: Tree): (readonly number[])[][] {
  const sizes = [...new Set(example.tensors.flatMap((x) => x.shape))].filter((size) => size > 1);
  return sizes.map((size) => example.tensors.map((x) => x.shape.map((n) => (n === size ? n + 1 : n))));
}
