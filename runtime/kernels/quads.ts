/**
 * @file Four elements side by side in memory, which a thread loads or stores at once: memory gives a GPU more in fewer, larger
 * pieces. In: a nest, and the axes along which a thread takes four positions. Out: which buffers are accessed in such fours;
 * undefined where some access along these axes is not, or their lengths vary.
 */
import { divide, modulo, type Axis, type Index } from '../tensor/affine.ts';
import { everyExpr } from './axes.ts';
import { vary } from './extents.ts';
import type { Nest } from './nest.ts';

/** Elements of a vector. */
export const QUAD = 4;

/** Where an element lies in a buffer of vectors. */
export interface QuadPlace {
  readonly vector: Index;
  readonly component: number;
}

export function quadPlace(index: Index): QuadPlace {
  return { vector: divide(index, QUAD), component: modulo(index, QUAD).constant };
}

export function quadsAlong(nest: Nest, along: readonly Axis[]): ReadonlySet<number> | undefined {
  const keys = new Set(along.map((a) => a.key));
  const quads = new Set<number>();
  const others = new Set<number>();
  const stores = nest.stores.every(({ index, guard }) => !guard && index.constant % QUAD === 0 && isQuad(index, keys));
  if (!stores || vary(along) || along.some((a) => a.extent % QUAD !== 0)) return undefined;
  for (const { buffer } of nest.stores) quads.add(buffer);
  for (const e of everyExpr(nest)) {
    if (e.kind !== 'load') continue;
    const depends = [...e.free.keys()].some((key) => keys.has(key));
    if (depends && !isQuad(e.index, keys)) return undefined;
    (depends ? quads : others).add(e.buffer);
  }
  return new Set([...quads].filter((buffer) => !others.has(buffer)));
}

/** Whether a step along the axes is one element, and all other steps are whole vectors. */
function isQuad(index: Index, along: ReadonlySet<string>): boolean {
  const steps = index.terms.filter(({ atom }) => along.has(atom.key));
  const whole = ({ atom, coefficient }: Index['terms'][number]) => coefficient % QUAD === 0 && !isDivided(atom, along);
  return steps.length === 1 && steps[0]?.coefficient === 1 && index.terms.every((t) => steps.includes(t) || whole(t));
}

function isDivided(atom: Index['terms'][number]['atom'], along: ReadonlySet<string>): boolean {
  return atom.kind !== 'axis' && atom.of.terms.some((t) => along.has(t.atom.key) || isDivided(t.atom, along));
}
