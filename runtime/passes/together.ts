/**
 * @file Kernels that become one, each storing what it stored. In: kernels in the order they run. Out: which of them wait for
 * which later one: those of one shape, of which one reads the other's result where it computes its own, or that read the same; and
 * sums of rows that need another sum of theirs.
 * A kernel may wait for a later one when nothing between them reads what it stores.
 */
import type { Node, OpNode } from '../ir/graph.ts';
import { isNode, nodeInputs } from '../ir/graph.ts';
import { iterated, joinedParts } from '../kernels/lower.ts';
import { SHORT_SUM } from '../kernels/rows.ts';
import { numel, sameShape, type Shape } from '../tensor/shape.ts';
import { isSum, termsOf } from './sums.ts';

/** Nodes of which one kernel stores the last, and those in `roots`. */
export interface Candidate {
  readonly roots: readonly OpNode[];
  readonly inside: ReadonlySet<Node>;
  /** A sum of a row in it would have to be of the other's rows too. */
  readonly byRows: boolean;
}

export interface TogetherLimits {
  /** Tensors that one kernel can read and store. */
  readonly tensors: number;
  /** Nodes that do not wait. */
  readonly apart: ReadonlySet<OpNode>;
}

/** More results than this are too much text for little more. */
const MOST_ROOTS = 8;
/** Computing nodes of a kernel, after which it is long enough: compiling twice as many takes more than twice as long. */
const MOST_COMPUTED = 192;
/** A join of more parts is rolled up into a loop, which it is not together with others. */
const MOST_PARTS = 4;
/** With fewer terms in all, kernels take as long as their launch, and may better stand side by side with others. */
export const WORTH_ROWS = 1 << 18;
/** Kernels that are looked at for each tensor that is read. */
const LOOKED_AT = 8;

/** What the kernel adds up: nothing, tensors, or products of tensors. */
type Sums = 'none' | 'tensors' | 'products';

interface Kernel {
  readonly position: number;
  readonly shape: Shape;
  readonly sums: Sums;
  readonly terms: number;
  /** Whether none of them is a sum of products. */
  readonly folds: boolean;
  roots: readonly OpNode[];
  inside: ReadonlySet<Node>;
  leaves: Set<Node>;
}

/** Whether what it adds up, or folds, is made of one tensor. */
const isOfOne = ({ op, inputs }: OpNode): boolean =>
  op.kind === 'reduce' || (op.kind === 'contract' && inputs.filter(isNode).length === 1);

/** For each last root of a kernel that waits, the last root of the one that it waits for. */
export function together(candidates: readonly Candidate[], limits: TogetherLimits): Map<OpNode, OpNode> {
  const search = new Search(limits);
  candidates.forEach((c, position) => search.add(c, position));
  return search.run();
}

class Search {
  private readonly kernels: Kernel[] = [];
  /** In the order in which they run. */
  private readonly readers = new Map<Node, Kernel[]>();
  private readonly waiting = new Map<OpNode, OpNode>();

  constructor(private readonly limits: TogetherLimits) {}

  add({ roots, inside, byRows }: Candidate, position: number): void {
    const leaves = new Set([...inside].flatMap(nodeInputs).filter((n) => !inside.has(n)));
    const sums = [...inside].filter((n): n is OpNode => n.kind === 'op' && isSum(n.op) && termsOf(n) > 1);
    const kernel: Kernel = {
      position,
      shape: iterated(roots),
      sums: sums.some((s) => !isOfOne(s)) ? 'products' : sums.length > 0 ? 'tensors' : 'none',
      terms: Math.max(1, ...sums.map(termsOf)),
      folds: sums.every((s) => isOfOne(s) || (s.op.kind === 'contract' && s.op.fold !== undefined)),
      roots,
      inside,
      leaves,
    };
    for (const leaf of leaves) {
      const list = this.readers.get(leaf);
      if (list) list.push(kernel);
      else this.readers.set(leaf, [kernel]);
    }
    if (!byRows && roots.every((r) => (joinedParts(r)?.inputs.length ?? 1) <= MOST_PARTS)) this.kernels.push(kernel);
  }

  run(): Map<OpNode, OpNode> {
    const able = new Set(this.kernels);
    for (const early of this.kernels) {
      if (early.roots.some((r) => this.limits.apart.has(r))) continue;
      const [reader] = this.after(early.roots, early);
      const late =
        reader && ((able.has(reader) && readsInPlace(reader, early)) || ofSameRows(reader, early)) && this.fits(early, reader)
          ? reader
          : this.beside(early, reader, able);
      if (late) this.wait(early, late);
    }
    return this.waiting;
  }

  /** Kernels that read one of the nodes, first to run first; the kernel itself is none of them. */
  private after(nodes: Iterable<Node>, kernel: Kernel): Kernel[] {
    const found = [...nodes].flatMap((n) => this.readers.get(n) ?? []).filter((k) => k !== kernel);
    return [...new Set(found)].sort((a, b) => a.position - b.position);
  }

  /** A kernel that reads the same as this one, and runs before anything reads what this one stores. */
  private beside(early: Kernel, reader: Kernel | undefined, able: ReadonlySet<Kernel>): Kernel | undefined {
    const size = numel(early.shape);
    for (const leaf of early.leaves) {
      if (numel(leaf.meta.shape) < size) continue;
      const list = this.readers.get(leaf) ?? [];
      const from = list.indexOf(early) + 1;
      const late = list
        .slice(from, from + LOOKED_AT)
        .find(
          (k) =>
            able.has(k) &&
            k.position < (reader?.position ?? Infinity) &&
            k.sums === early.sums &&
            k.sums !== 'products' &&
            k.terms === early.terms &&
            this.fits(early, k),
        );
      if (late) return late;
    }
    return undefined;
  }

  private fits(early: Kernel, late: Kernel): boolean {
    const roots = early.roots.length + late.roots.length;
    const read = new Set([...early.leaves, ...late.leaves]);
    for (const root of early.roots) read.delete(root);
    const computed = [...early.inside, ...late.inside].filter((n) => n.kind === 'op' && n.op.kind === 'elementwise').length;
    return (
      roots <= MOST_ROOTS &&
      computed <= MOST_COMPUTED &&
      read.size + roots <= this.limits.tensors &&
      sameShape(early.shape, late.shape)
    );
  }

  private wait(early: Kernel, late: Kernel): void {
    const [from, to] = [early.roots.at(-1), late.roots.at(-1)];
    if (from && to) this.waiting.set(from, to);
    for (const leaf of early.leaves) {
      const list = this.readers.get(leaf) ?? [];
      list.splice(list.indexOf(early), 1);
      if (!late.leaves.has(leaf)) {
        const at = list.findIndex((k) => k.position > late.position);
        list.splice(at < 0 ? list.length : at, 0, late);
      }
    }
    for (const root of early.roots) {
      const list = this.readers.get(root) ?? [];
      if (list.includes(late)) list.splice(list.indexOf(late), 1);
    }
    late.roots = [...early.roots, ...late.roots];
    late.inside = new Set([...early.inside, ...late.inside]);
    late.leaves = new Set([...early.leaves, ...late.leaves].filter((n) => !late.inside.has(n)));
  }
}

/** Whether `late` reads what `early` stores only where it computes an element of its own in the same place, and adds nothing up. */
function readsInPlace(late: Kernel, early: Kernel): boolean {
  if (late.sums !== 'none') return false;
  const stored = new Set<Node>(early.roots);
  const aligned = new Set<Node>(late.roots.flatMap((r) => [r, ...(joinedParts(r)?.inputs ?? [])]));
  for (const node of aligned) {
    if (node.kind !== 'op' || node.op.kind !== 'elementwise' || !late.inside.has(node)) continue;
    for (const input of nodeInputs(node)) if (sameShape(input.meta.shape, late.shape)) aligned.add(input);
  }
  return [...late.inside].every(
    (n) =>
      n.kind !== 'op' ||
      nodeInputs(n).every(
        (x) => !stored.has(x) || (aligned.has(n) && aligned.has(x) && (n.op.kind === 'elementwise' || late.roots.includes(n))),
      ),
  );
}

/** Whether both may go over the same rows: what `early` stores of one, `late` then has. Their loop nest says whether they do. */
function ofSameRows(late: Kernel, early: Kernel): boolean {
  if (early.terms <= SHORT_SUM || early.terms * numel(early.shape) < WORTH_ROWS) return false;
  return early.sums === 'tensors' && late.sums !== 'none' && late.folds && early.terms === late.terms;
}
