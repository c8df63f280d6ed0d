/**
 * @file The graph as drawn, without positions. In: the joined profile and how far it is unfolded. Out: boxes and the
 * edges between them, labelled with shapes; edges that close a loop are told apart, so that the rest is a DAG.
 */
import { plural, shapeText } from './format.ts';
import { graphItems, opItem, outputItem, type GraphItem, type GraphOptions } from './graphItems.ts';
import { push, type ProfileIndex } from './joins.ts';

export interface GraphEdge {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** Runs against the order: what a loop carries from one turn to the next. */
  readonly back: boolean;
  /** The open kernel that holds both ends. */
  readonly parent?: string;
  /** Boxes inside the ends that it really connects, where an end is an open kernel. */
  readonly innerFrom: readonly string[];
  readonly innerTo: readonly string[];
}

export interface Graph {
  readonly items: ReadonlyMap<string, GraphItem>;
  readonly edges: readonly GraphEdge[];
  /** Neighbours among the boxes themselves, whatever they stand in. */
  readonly producers: ReadonlyMap<string, readonly string[]>;
  readonly consumers: ReadonlyMap<string, readonly string[]>;
  readonly itemOf: ReadonlyMap<string, string>;
}

interface Link {
  readonly from: string;
  readonly to: string;
  readonly tensors: Map<string, number>;
  readonly innerFrom: Set<string>;
  readonly innerTo: Set<string>;
  readonly parent?: string;
}

/** The drawn ops that `id` comes from: itself, or what stands behind ops that are not drawn. */
function drawnSources(index: ProfileIndex, itemOf: ReadonlyMap<string, string>, id: string, seen = new Set<string>()): string[] {
  if (itemOf.has(id)) return [id];
  if (seen.has(id)) return [];
  seen.add(id);
  return (index.nodes.get(id)?.inputs ?? []).flatMap((input) => drawnSources(index, itemOf, input, seen));
}

function labelOf(tensors: ReadonlyMap<string, number>): string {
  const [first, ...others] = tensors;
  if (!first) return '';
  const [shape, times] = first;
  const more = others.reduce((total, [, uses]) => total + uses, 0);
  return `${shape}${times > 1 ? ` ×${times}` : ''}${more > 0 ? ` +${more}` : ''}`;
}

/** Links that lead back to a box on the way to them, found depth first. */
export function backLinks(links: readonly { readonly from: string; readonly to: string }[]): ReadonlySet<number> {
  const out = new Map<string, number[]>();
  links.forEach((link, at) => push(out, link.from, at));
  const state = new Map<string, 'open' | 'done'>();
  const back = new Set<number>();
  for (const root of out.keys()) {
    if (state.has(root)) continue;
    const path: { readonly id: string; next: number }[] = [{ id: root, next: 0 }];
    state.set(root, 'open');
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const at = out.get(top.id)?.[top.next++];
      const to = at === undefined ? undefined : links[at]?.to;
      if (at === undefined || to === undefined) {
        state.set(top.id, 'done');
        path.pop();
      } else if (state.get(to) === 'open') back.add(at);
      else if (!state.has(to)) {
        state.set(to, 'open');
        path.push({ id: to, next: 0 });
      }
    }
  }
  return back;
}

/** Ops whose results are the example's outputs, where that is beyond doubt: as many ends as outputs, of the same shapes. */
export function outputNodes(index: ProfileIndex): readonly string[] {
  const ends = index.profile.nodes.filter(
    (node) => !index.consumers.has(node.id) && node.fate !== 'unused' && node.fate !== 'input',
  );
  const shapes = index.profile.outputs.map(shapeText);
  const matching = ends.filter((node) => shapes.includes(shapeText(node.output)));
  return matching.length === shapes.length ? matching.map((node) => node.id) : [];
}

function collectLinks(
  index: ProfileIndex,
  items: ReadonlyMap<string, GraphItem>,
  itemOf: ReadonlyMap<string, string>,
): Map<string, Link> {
  const links = new Map<string, Link>();
  const connect = (a: string, b: string, shape: string): void => {
    const inner = [items.get(a), items.get(b)] as const;
    const together = inner[0]?.parent !== undefined && inner[0].parent === inner[1]?.parent;
    const from = together ? a : (inner[0]?.parent ?? a);
    const to = together ? b : (inner[1]?.parent ?? b);
    if (a === b || from === to) return;
    const id = `${from} → ${to}`;
    let link = links.get(id);
    if (!link) {
      link = {
        from,
        to,
        tensors: new Map(),
        innerFrom: new Set(),
        innerTo: new Set(),
        parent: together ? inner[0].parent : undefined,
      };
      links.set(id, link);
    }
    link.tensors.set(shape, (link.tensors.get(shape) ?? 0) + 1);
    if (from !== a) link.innerFrom.add(a);
    if (to !== b) link.innerTo.add(b);
  };
  for (const node of index.profile.nodes) {
    const to = itemOf.get(node.id);
    if (to === undefined) continue;
    for (const source of new Set(node.inputs.flatMap((input) => drawnSources(index, itemOf, input)))) {
      const producer = index.nodes.get(source);
      const from = itemOf.get(source);
      if (producer && from !== undefined) connect(from, to, shapeText(producer.output));
    }
  }
  outputNodes(index).forEach((id, at) => {
    for (const source of drawnSources(index, itemOf, id)) connect(itemOf.get(source) ?? opItem(source), outputItem(at), '');
  });
  return links;
}

export function buildGraph(index: ProfileIndex, options: GraphOptions): Graph {
  const { items: list, itemOf } = graphItems(index, options);
  const items = new Map(list.map((item) => [item.id, item]));
  outputNodes(index).forEach((id, at) => {
    const tensor = index.nodes.get(id)?.output;
    const title = index.profile.outputs.length > 1 ? `output ${at}` : 'output';
    const lines = tensor ? [shapeText(tensor)] : [];
    items.set(outputItem(at), { id: outputItem(at), kind: 'output', title, lines, nodes: [id], open: false, subdued: false });
  });
  const links = [...collectLinks(index, items, itemOf)];
  const back = backLinks(links.map(([, link]) => link));
  const producers = new Map<string, string[]>();
  const consumers = new Map<string, string[]>();
  const edges = links.map(([id, link], at): GraphEdge => {
    push(producers, link.to, link.from);
    push(consumers, link.from, link.to);
    return {
      id,
      from: link.from,
      to: link.to,
      label: labelOf(link.tensors),
      back: back.has(at),
      parent: link.parent,
      innerFrom: [...link.innerFrom],
      innerTo: [...link.innerTo],
    };
  });
  return { items, edges, producers, consumers, itemOf };
}

/** Kernels to open at first: all, as long as the picture stays readable. */
export function initiallyExpanded(index: ProfileIndex, most = 60): readonly string[] {
  const all = index.traced.map((kernel) => kernel.id);
  if (all.length > most) return [];
  const { items } = graphItems(index, { expanded: new Set(all), fold: true, quiet: true, metric: 'time' });
  return items.length <= most ? all : [];
}

/** A sentence for screen readers and tooltips. */
export function describe(item: GraphItem, graph: Graph): string {
  const title = [item.title, item.badge].filter(Boolean).join(' ');
  const kind = item.kind === 'kernel' ? 'kernel' : item.kind === 'op' ? (item.subdued ? 'op without a kernel' : 'op') : item.kind;
  const producers = graph.producers.get(item.id)?.length ?? 0;
  const consumers = graph.consumers.get(item.id)?.length ?? 0;
  return [`${kind} ${title}`, ...item.lines, plural(producers, 'producer'), plural(consumers, 'consumer')].join(', ');
}
