/**
 * @file Index arithmetic as kernel text. In: indices and conditions in normal form. Out: WGSL over the axes' names; numbers are
 * written out or taken as parameters. WGSL's quotients round towards zero, so what is divided is never negative here.
 */
import type { Atom, Condition, Index } from '../tensor/affine.ts';
import { bias, type Parameters } from './text.ts';

export class IndexText {
  constructor(private readonly p: Parameters) {}

  index(index: Index): string {
    const parts = index.terms.map(({ atom, coefficient }) => {
      const text = this.atom(atom);
      return coefficient === 1 ? text : coefficient === -1 ? `-${text}` : `${text} * ${this.p.int(coefficient)}`;
    });
    if (index.constant !== 0 || parts.length === 0) parts.push(this.p.int(index.constant, parts.length === 0));
    return parts.join(' + ');
  }

  private atom(atom: Atom): string {
    if (atom.kind === 'axis') return atom.key;
    // WGSL rounds quotients towards zero; a multiple of the divisor is added so that what is divided is not negative.
    const shift = bias(atom.of.min, atom.by);
    const of = shift === 0 ? this.index(atom.of) : `${this.index(atom.of)} + ${this.p.int(shift * atom.by)}`;
    const by = this.p.int(atom.by);
    if (atom.kind === 'mod') return `((${of}) % ${by})`;
    return shift === 0 ? `((${of}) / ${by})` : `((${of}) / ${by} - ${this.p.int(shift)})`;
  }

  condition(when: Condition): string {
    return (
      when.tests
        .flatMap(({ index, lo, hi, isAsked }) => {
          const text = this.index(index);
          return [
            ...(index.min < lo ? [`(${text} >= ${this.p.int(lo, true)})`] : []),
            ...(index.max >= hi || isAsked ? [`(${text} < ${this.p.int(hi)})`] : []),
          ];
        })
        // Both sides are computed: a branch for each test takes a compiler long, and a device too.
        .join(' & ')
    );
  }
}
