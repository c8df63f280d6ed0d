/**
 * @file Calls of one traced function at many sizes. In: what makes the function, what makes its arguments at a size. Out: how many
 * pipelines each call made; values are compared with the float64 reference.
 */
import { jit, tensor, type Tensor } from 'jitlens';
import { GpuBackend } from '../../../runtime/kernels/eager.ts';
import { currentBackend } from '../../../runtime/tensor/backend.ts';
import type { ScriptFunction } from '../../../runtime/script/script.ts';
import type { Tolerance } from '../../../runtime/ops/spec.ts';
import { expectSame, read } from './compare.ts';
import { onReference } from './devices.ts';
import { CLOSE, traceOf } from './traces.ts';

/** Pipelines of the device that tests run on. */
export function pipelines(): number {
  const backend = currentBackend();
  if (!(backend instanceof GpuBackend)) throw new Error('this device has no pipelines');
  return backend.gpu.pipelines.size;
}

/** Numbers from −1 to 1 without a kernel, in an order that no size divides. */
export function filled(shape: readonly number[], step = 7): Tensor {
  const count = shape.reduce((n, size) => n * size, 1);
  return tensor(Float32Array.from({ length: count }, (_, i) => ((step * i) % 23) / 11 - 1)).view(shape);
}

export interface Sized<A extends [Tensor, ...Tensor[]]> {
  /** Made once on each device, so that it may keep state. */
  readonly make: () => (...args: A) => unknown;
  readonly args: (n: number) => A;
  readonly tolerance?: Tolerance;
}

/** Traced at the first size, or scripted, and called twice at each. */
export async function atSizes<A extends [Tensor, ...Tensor[]]>(
  { make, args, tolerance }: Sized<A>,
  sizes: readonly number[],
  by: 'trace' | 'script' = 'trace',
) {
  const [own, other] = [make(), onReference(make)];
  const made: number[] = [];
  let compiled: ReturnType<typeof traceOf<A>> | ScriptFunction<typeof own> | undefined =
    by === 'script' ? jit.script(own) : undefined;
  for (const n of sizes) {
    let count = 0;
    // The first call of a size is the run that is recorded, the second one replays it.
    for (const which of ['first', 'second']) {
      const xs = args(n);
      const before = pipelines();
      const result = compiled ? compiled(...xs) : ((compiled = traceOf(own, xs)), undefined);
      count += pipelines() - before;
      const wanted = await onReference(() => read(other(...args(n))));
      if (result !== undefined) expectSame(await read(result), wanted, tolerance ?? CLOSE, `at size ${n}, the ${which} time`);
    }
    made.push(count);
  }
  if (!compiled) throw new Error('no sizes');
  return { made, traced: compiled };
}
