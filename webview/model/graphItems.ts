/**
 * @file What the graph draws. In: the joined profile, and how far it is unfolded. Out: boxes for kernels, ops, inputs
 * and outputs; which box stands for which op; nothing has a position yet.
 * Folding draws the ops that one call in the source made within one kernel as one box, “×48”.
 */
import type { ProfileKernel, ProfileNode } from '../../runtime/profile/model.ts';
import { place, plural, shapeText } from './format.ts';
import { metricOf, metricWithShare, totalOf, type Metric } from './heat.ts';
import { lineKey, push, type ProfileIndex } from './joins.ts';

export interface GraphOptions {
  /** Kernels drawn with their ops inside. */
  readonly expanded: ReadonlySet<string>;
  readonly fold: boolean;
  /** Views, folded, shared and unused ops are drawn too. */
  readonly quiet: boolean;
  readonly metric: Metric;
}

export interface GraphItem {
  readonly id: string;
  readonly kind: 'kernel' | 'op' | 'input' | 'output';
  readonly title: string;
  /** After the title, e.g. “×48”. */
  readonly badge?: string;
  readonly lines: readonly string[];
  readonly nodes: readonly string[];
  readonly kernel?: string;
  /** The open kernel that it is drawn in. */
  readonly parent?: string;
  readonly open: boolean;
  readonly subdued: boolean;
  /** Metric over the largest of its like, 0 … 1. */
  readonly heat?: number;
}

export interface ItemSet {
  readonly items: readonly GraphItem[];
  /** The item that stands for an op; none where it is not drawn. */
  readonly itemOf: ReadonlyMap<string, string>;
}

export const kernelItem = (id: string): string => `kernel ${id}`;
export const opItem = (id: string): string => `op ${id}`;
export const outputItem = (index: number): string => `output ${index}`;

export function isQuiet(node: ProfileNode): boolean {
  return node.fate !== 'kernel' && node.fate !== 'input';
}

function foldKey(node: ProfileNode): string {
  return [node.op, node.fate, ...[node.span, ...node.stack].map((span) => `${lineKey(span)}:${span.column}`)].join('|');
}

function kernelBox(index: ProfileIndex, kernel: ProfileKernel, options: GraphOptions, scale: Scale): GraphItem {
  const value = metricOf(options.metric, kernel);
  const [first, ...more] = kernel.spans;
  const origin = first ? `${place(first)}${more.length > 0 ? ` +${plural(more.length, 'line')}` : ''}` : '';
  return {
    id: kernelItem(kernel.id),
    kind: 'kernel',
    title: kernel.name,
    badge: kernel.launches > 1 ? `×${kernel.launches}` : undefined,
    lines: [
      metricWithShare(index, options.metric, value, scale.total),
      [plural(kernel.nodes.length, 'op'), origin].filter(Boolean).join(' · '),
    ],
    nodes: kernel.nodes,
    kernel: kernel.id,
    open: options.expanded.has(kernel.id),
    subdued: false,
    heat: scale.of(value),
  };
}

interface Scale {
  readonly total: number | undefined;
  of(value: number | undefined): number | undefined;
}

function scaleOf(values: readonly (number | undefined)[]): Scale {
  const known = values.filter((value) => value !== undefined);
  // A spread of 5,000 values would overflow the stack of a call.
  const largest = known.reduce((best, value) => Math.max(best, value), 0);
  return {
    total: known.length > 0 ? known.reduce((sum, value) => sum + value, 0) : undefined,
    of: (value) => (value === undefined || largest <= 0 ? undefined : value / largest),
  };
}

const fateNotes: Readonly<Record<ProfileNode['fate'], string>> = {
  kernel: '',
  input: '',
  view: 'view, free',
  folded: 'folded at compile time',
  shared: 'same as another op',
  unused: 'unused, removed',
};

function opBox(
  index: ProfileIndex,
  nodes: readonly ProfileNode[],
  parent: string | undefined,
  options: GraphOptions,
): GraphItem | undefined {
  const [node] = nodes;
  if (!node) return undefined;
  const input = node.fate === 'input';
  const quiet = isQuiet(node);
  const value = quiet || input ? undefined : totalOf(options.metric, nodes);
  const note = input
    ? shapeText(node.output)
    : quiet
      ? fateNotes[node.fate]
      : metricWithShare(index, options.metric, value, undefined);
  const attributes = nodes.length === 1 || nodes.every((other) => other.attributes === node.attributes) ? node.attributes : '';
  return {
    id: opItem(node.id),
    kind: input ? 'input' : 'op',
    title: input && attributes ? attributes : node.op,
    badge: nodes.length > 1 ? `×${nodes.length}` : undefined,
    lines: input ? [note] : [`${note} · :${node.span.line}`],
    nodes: nodes.map((other) => other.id),
    kernel: parent,
    parent: parent === undefined ? undefined : kernelItem(parent),
    open: false,
    subdued: quiet,
  };
}

/** Ops in their homes; a group of ops that are drawn as one shares its first op's place. */
export function graphItems(index: ProfileIndex, options: GraphOptions): ItemSet {
  const kernelScale = scaleOf(index.traced.map((kernel) => metricOf(options.metric, kernel)));
  const items: GraphItem[] = index.traced.map((kernel) => kernelBox(index, kernel, options, kernelScale));
  const itemOf = new Map<string, string>();
  const groups = new Map<string, ProfileNode[]>();
  for (const node of index.profile.nodes) {
    const home = index.home.get(node.id);
    const loose = home === undefined && isQuiet(node);
    if (home !== undefined && !options.expanded.has(home)) {
      // A view goes nowhere by itself: edges run through it to what it is a view of.
      if (!isQuiet(node)) itemOf.set(node.id, kernelItem(home));
    } else if (options.quiet || !isQuiet(node)) {
      push(groups, options.fold && !loose ? `${home ?? ''}|${foldKey(node)}` : node.id, node);
    }
  }
  const boxes: GraphItem[] = [];
  for (const nodes of groups.values()) {
    const separate = nodes[0]?.fate === 'input' ? nodes.map((node) => [node]) : [nodes];
    for (const part of separate) {
      const box = opBox(index, part, index.home.get(part[0]?.id ?? ''), options);
      if (!box) continue;
      boxes.push(box);
      for (const id of box.nodes) itemOf.set(id, box.id);
    }
  }
  const valueOf = (box: GraphItem): number | undefined =>
    box.kind === 'op' && !box.subdued
      ? totalOf(
          options.metric,
          box.nodes.flatMap((id) => index.nodes.get(id) ?? []),
        )
      : undefined;
  const values = boxes.map(valueOf);
  const opScale = scaleOf(values);
  return { items: [...items, ...boxes.map((box, at) => ({ ...box, heat: opScale.of(values[at]) }))], itemOf };
}
