/**
 * @file Layered layout by d3-dag. In: one level of boxes and edges, a DAG. Out: centres and bends.
 * Every layer that an edge crosses costs as much as a box, so the longest edges of a large graph are left out of the
 * layout and drawn straight; each box keeps its shortest edges.
 */
import {
  coordGreedy,
  coordSimplex,
  decrossTwoLayer,
  graph,
  layeringSimplex,
  sugiyama,
  twolayerAgg,
  twolayerGreedy,
  type Graph,
  type GraphNode,
  type LayoutResult,
} from 'd3-dag';
import type { FlatEngine, LayoutBox, LayoutEdge, Point } from './layoutTypes.ts';
import { longestPathRanks } from './ranks.ts';

/** Boxes and bends up to which the better, slower steps are taken. */
const SMALL = 160;
const MEDIUM = 700;
const MOST_BENDS = 2500;

/** Drops the longest edges until the bends are few enough, but never a box's only edge. */
function shortEnough(
  edges: readonly LayoutEdge[],
  ranks: ReadonlyMap<string, number>,
): { kept: readonly LayoutEdge[]; bends: number } {
  const span = ({ from, to }: LayoutEdge): number => Math.max(1, (ranks.get(to) ?? 0) - (ranks.get(from) ?? 0));
  let bends = edges.reduce((total, edge) => total + span(edge) - 1, 0);
  if (bends <= MOST_BENDS) return { kept: edges, bends };
  const degree = new Map<string, number>();
  for (const { from, to } of edges) for (const id of [from, to]) degree.set(id, (degree.get(id) ?? 0) + 1);
  const dropped = new Set<string>();
  for (const edge of edges.toSorted((a, b) => span(b) - span(a))) {
    if (bends <= MOST_BENDS) break;
    const ends = [edge.from, edge.to].map((id) => [id, degree.get(id) ?? 0] as const);
    if (ends.some(([, uses]) => uses < 2)) continue;
    for (const [id, uses] of ends) degree.set(id, uses - 1);
    bends -= span(edge) - 1;
    dropped.add(edge.id);
  }
  return { kept: edges.filter((edge) => !dropped.has(edge.id)), bends };
}

type Dag = Graph<LayoutBox, LayoutEdge>;

function arrange(dag: Dag, size: number, gap: readonly [number, number]): LayoutResult {
  const nodeSize = ({ data }: GraphNode<LayoutBox, LayoutEdge>): readonly [number, number] => [data.width, data.height];
  const base = sugiyama().nodeSize(nodeSize).gap(gap).layering(layeringSimplex());
  if (size <= SMALL) return base.decross(decrossTwoLayer().order(twolayerGreedy()).passes(24)).coord(coordSimplex())(dag);
  const passes = size <= MEDIUM ? 12 : 3;
  return base.decross(decrossTwoLayer().order(twolayerAgg()).passes(passes)).coord(coordGreedy())(dag);
}

export const sugiyamaLayout: FlatEngine = (boxes, edges, gaps) => {
  const ids = boxes.map((box) => box.id);
  const { kept, bends: bendCount } = shortEnough(edges, longestPathRanks(ids, edges));
  const dag = graph<LayoutBox, LayoutEdge>();
  const nodes = new Map(boxes.map((box) => [box.id, dag.node(box)]));
  for (const edge of kept) {
    const from = nodes.get(edge.from);
    const to = nodes.get(edge.to);
    if (from && to) dag.link(from, to, edge);
  }
  const { width, height } = arrange(dag, boxes.length + bendCount, [gaps.between, gaps.layers]);
  const centres = new Map<string, Point>();
  for (const node of dag.nodes()) centres.set(node.data.id, [node.x, node.y]);
  const bends = new Map<string, readonly Point[]>();
  for (const link of dag.links()) bends.set(link.data.id, link.points.slice(1, -1));
  return { centres, bends, width, height };
};
