/**
 * @file Small tensors of which all threads read the same element at the same time, as the weights of a direct convolution. In: a
 * kernel's plan. Out: how many elements of which buffers are read so. As uniforms they come through a cache of their own, and
 * leave the one for memory to what differs from thread to thread.
 */
import { typicalOf, vary } from './extents.ts';
import { everyExpr } from './axes.ts';
import { divide, modulo, type Index } from '../tensor/affine.ts';
import type { Nest } from './nest.ts';
import { QUAD } from './quads.ts';

/** Bytes of a uniform, as every device has them, and so many of them in a kernel. */
const MOST_BYTES = 65536;
const MOST_UNIFORMS = 8;
/** Loads of a thread for which another kind of binding is worth it, and threads. */
const LEAST_LOADS = 4;
const LEAST_POSITIONS = 1 << 14;

interface Read {
  readonly nest: Nest;
  readonly quads?: ReadonlySet<number>;
}

/** What comes in vectors of four anyway is none. `room` says how many elements there are behind the place where a buffer is bound. */
export function uniformsOf({ nest, quads }: Read, room: (buffer: number) => number): ReadonlyMap<number, number> {
  const { axes, stores } = nest;
  const found = new Map<number, { loads: number; elements: number }>();
  if (typicalOf(axes) < LEAST_POSITIONS || vary(axes)) return new Map();
  for (const e of everyExpr(nest)) {
    if (e.kind !== 'load') continue;
    const { loads, elements } = found.get(e.buffer) ?? { loads: 0, elements: 0 };
    const differs = axes.some((a) => e.free.has(a.key)) || e.index.min < 0 || e.type !== 'float32';
    found.set(e.buffer, { loads: loads + 1, elements: differs ? Infinity : Math.max(elements, e.index.max + 1) });
  }
  const others = new Set([...stores.map((s) => s.buffer), ...(quads ?? [])]);
  const small = [...found].filter(([buffer, { loads, elements }]) => {
    return loads >= LEAST_LOADS && uniformBytes(elements) <= MOST_BYTES && elements <= room(buffer) && !others.has(buffer);
  });
  return new Map(small.slice(0, MOST_UNIFORMS).map(([buffer, { elements }]) => [buffer, elements]));
}

/** Uniforms are arrays of vectors. */
export const uniformBytes = (elements: number): number => Math.ceil(elements / QUAD) * QUAD * 4;

/** Where an element is in one: the vector, and its part. */
export const uniformPlace = (index: Index): readonly [Index, Index] => [divide(index, QUAD), modulo(index, QUAD)];
