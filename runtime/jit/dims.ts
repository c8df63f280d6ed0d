/**
 * @file Which dims of a function's arguments are dynamic: those declared so, and those that have had three sizes. In: calls that
 * nothing was compiled for. Out: what calls have in common whose dynamic dims alone differ. Sizes 0 and 1 are never among them:
 * what is empty is not computed, and what is broadcast is computed otherwise.
 */
import type { Module } from '../nn/module.ts';
import { isContiguous } from '../tensor/layout.ts';
import { isDeclared } from './dynamic.ts';
import { keyOf } from './guard.ts';
import type { Tree } from './tree.ts';

/** A dim that changed twice has had so many. */
const SIZES = 3;
/** Forms of calls whose sizes are looked at. */
const MOST_FORMS = 64;

interface Seen {
  readonly sizes: Set<number>;
  declared: boolean;
}

/** A call as the dims are now. */
export interface Call {
  /** Equal for calls that differ in sizes alone. */
  readonly form: string;
  /** Equal for calls that differ in dynamic dims alone; undefined where none of its dims is dynamic. */
  readonly family?: string;
  /** What the dynamic dims are here, in order. */
  readonly sizes: readonly number[];
  /** Those that became dynamic by this call, in words. */
  readonly became: readonly string[];
}

export class Dims {
  /** By the form of a call, all sizes left out, and then by tensor and dim. */
  private readonly forms = new Map<string, Map<string, Seen>>();

  look(args: Tree, module: Module | undefined): Call {
    const form = keyOf(args, module, (x) => `${x.shape.length}`);
    const seen = this.seen(form);
    const became: string[] = [];
    const isDynamic = (i: number, d: number) => {
      const dim = seen?.get(`${i},${d}`);
      return dim !== undefined && (dim.declared || dim.sizes.size >= SIZES);
    };
    args.tensors.forEach((x, i) => {
      x.shape.forEach((size, d) => {
        if (!seen) return;
        const before = isDynamic(i, d);
        const dim = seen.get(`${i},${d}`) ?? { sizes: new Set(), declared: false };
        seen.set(`${i},${d}`, dim);
        dim.declared ||= isDeclared(x, d);
        if (size > 1 && dim.sizes.size < SIZES) dim.sizes.add(size);
        if (!before && isDynamic(i, d)) became.push(`dim ${d} of tensor ${i}`);
      });
    });
    const sizes: number[] = [];
    const family = keyOf(args, module, (x, i) => {
      const shape = x.shape.map((size, d) => {
        if (size < 2 || !isDynamic(i, d)) return String(size);
        sizes.push(size);
        return '*';
      });
      return `${shape.join()}${isContiguous(x.layout) ? '' : ' view'}`;
    });
    return { form, family: sizes.length > 0 ? family : undefined, sizes, became };
  }

  private seen(form: string): Map<string, Seen> | undefined {
    const known = this.forms.get(form);
    if (known || this.forms.size >= MOST_FORMS) return known;
    const made = new Map<string, Seen>();
    this.forms.set(form, made);
    return made;
  }
}
