/** @file The op table as the systematic tests see it: every op with its calls, without its exact types. */
import type { Tolerance } from '../../../runtime/ops/spec.ts';
import type { Tensor } from '../../../runtime/tensor/tensor.ts';
import { table } from '../../../runtime/ops/table.ts';

export interface AnyOp {
  (...args: unknown[]): Tensor | Tensor[];
  readonly entry: {
    readonly name: string;
    readonly spec?: unknown;
    readonly samples: readonly string[];
    readonly tolerance: Tolerance;
    readonly domain: readonly [number, number];
    readonly grad?: (g: Tensor, out: Tensor, ...args: unknown[]) => readonly (Tensor | undefined)[];
  };
}

/** Calls of ops that have none in the table. */
const MORE: Readonly<Record<string, readonly string[]>> = {
  unbind: ['f32[3,4]', 'f32[3,4] 1'],
  split: ['f32[5,3] 2', 'f32[2,6] 3 1'],
  chunk: ['f32[7,2] 3', 'f32[2,4] 2 -1'],
};

export const ops: readonly [name: string, op: AnyOp][] = Object.entries(table).map(([name, op]) => [
  name,
  op as unknown as AnyOp,
]);

export const calls: readonly { readonly name: string; readonly op: AnyOp; readonly sample: string }[] = ops.flatMap(
  ([name, op]) => [...op.entry.samples, ...(MORE[name] ?? [])].map((sample) => ({ name, op, sample })),
);
