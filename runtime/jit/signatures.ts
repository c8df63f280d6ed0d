/**
 * @file The signatures that one function is compiled for. In: calls. Out: what was compiled for such a call, or leave to compile it,
 * and how. There are a few signatures of their own; those that differ in dynamic dims alone share their kernels, and the ones
 * that were called last are kept. Whatever is compiled anew is recorded, with what differed.
 */
import type { Module } from '../nn/module.ts';
import type { Plan } from './compile.ts';
import { Dims } from './dims.ts';
import { Family } from './family.ts';
import { firstDifference, signatureKey, signatureOf, type Signature } from './guard.ts';
import type { Recompile } from './trace.ts';
import type { Tree } from './tree.ts';

/** Signatures that are compiled for one function, a family of them counting once; calls of further ones run eagerly. */
const MAX_SIGNATURES = 8;
/** Sizes of one family that are kept. */
const MOST_SIZES = 32;
/** Sizes of one family for which its kernels did not do; calls of further ones run eagerly. */
const MOST_MISSES = 8;

export interface Entry {
  readonly signature: Signature;
  /** What runs on a GPU: a plan for each graph of the function. */
  readonly plans: () => readonly Plan[];
}

/** Kernels of the function's graphs, for all sizes of some dims. */
export type FamilyOf = (graph: number) => Family;

interface Sized<E> {
  readonly form: string;
  readonly families: Map<number, Family>;
  /** Sizes for which new texts were made, after the first. */
  misses: number;
  /** The one that was called last at the end. */
  readonly entries: E[];
}

export class Signatures<E extends Entry> {
  readonly recompiles: Recompile[] = [];
  eagerCalls = 0;
  private readonly single: E[] = [];
  private readonly sized = new Map<string, Sized<E>>();
  private readonly dims = new Dims();
  private last: E | undefined;

  /** `difference` says what is not as it was when an entry of the same signature was made. */
  constructor(
    private readonly module: Module | undefined,
    private readonly difference: (entry: E, call: Tree) => Recompile | undefined,
  ) {}

  get compiled(): readonly E[] {
    return [...this.single, ...[...this.sized.values()].flatMap((s) => s.entries)];
  }

  find(call: Tree): E | undefined {
    const key = signatureKey(call, this.module);
    const fits = (e: E) => e.signature.key === key && !this.difference(e, call);
    const known = this.single.find(fits);
    if (known) return known;
    for (const { entries } of this.sized.values()) {
      const at = entries.findIndex(fits);
      if (at >= 0) entries.push(...entries.splice(at, 1));
      if (at >= 0) return entries.at(-1);
    }
    return undefined;
  }

  /** Compiles a call that nothing was found for by `make`; undefined where it is to run eagerly. */
  add(call: Tree, make: (signature: Signature, family?: FamilyOf) => E): E | undefined {
    const signature = signatureOf(call, this.module);
    const { form, family, sizes, became } = this.dims.look(call, this.module);
    const twins = this.compiled;
    // With one more dynamic dim, families of this form are one.
    if (became.length > 0) for (const [key, { form: f }] of this.sized) if (f === form) this.sized.delete(key);
    const sized = family === undefined ? undefined : this.sized.get(family);
    const change = this.change(call, signature);
    const isFull = sized ? sized.misses >= MOST_MISSES : this.single.length + this.sized.size >= MAX_SIGNATURES;
    if (isFull || family === undefined) {
      if (change) this.recompiles.push(change);
      if (isFull) this.eagerCalls++;
      return isFull ? undefined : this.kept(this.single, make(signature));
    }
    const note =
      became.length > 0 ? `${became.join(' and ')} ${became.length > 1 ? 'are' : 'is'} dynamic from now on` : undefined;
    const noted = note === undefined || !change ? change : { ...change, note };
    const own = sized ?? { form, misses: 0, families: new Map<number, Family>(), entries: [] };
    const entry = this.addSized(own, { sizes, twins }, noted, (kernels) => make(signature, kernels));
    this.sized.set(family, own);
    return entry;
  }

  private addSized(
    sized: Sized<E>,
    { sizes, twins }: { readonly sizes: readonly number[]; readonly twins: readonly E[] },
    change: Recompile | undefined,
    make: (kernels: FamilyOf) => E,
  ): E {
    const { families, entries } = sized;
    const isFirst = families.size === 0;
    const before = textsOf(sized);
    const entry = make((graph) => {
      const family = families.get(graph) ?? new Family();
      family.sizes = sizes;
      family.twins = () => twins.flatMap((e) => e.plans()[graph]?.optimised.graph ?? []);
      families.set(graph, family);
      return family;
    });
    const missed = !isFirst && textsOf(sized) > before;
    if (missed) sized.misses++;
    // Another size alone is nothing to record: its kernels are there.
    if (change && missed) this.recompiles.push({ ...change, note: 'its kernels are not those of other sizes' });
    else if (change && isFirst) this.recompiles.push(change);
    if (entries.length >= MOST_SIZES) entries.shift();
    return this.kept(entries, entry);
  }

  private kept(entries: E[], entry: E): E {
    entries.push(entry);
    this.last = entry;
    return entry;
  }

  private change(call: Tree, signature: Signature): Recompile | undefined {
    const { last } = this;
    if (!last) return undefined;
    const same = last.signature.key === signature.key ? this.difference(last, call) : undefined;
    return same ?? firstDifference(last.signature, signature);
  }
}

const textsOf = ({ families }: Pick<Sized<Entry>, 'families'>): number => [...families.values()].reduce((n, f) => n + f.made, 0);
