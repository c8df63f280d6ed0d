/**
 * @file From a trace and its measurements to the profile's nodes and kernels. In: the recorded graph, the plan, the times.
 * Out: entries that name each other by id, each with the lines it came from.
 */
import type { Frame } from '../frames.ts';
import { nodeInputs, type Node } from '../ir/graph.ts';
import { kernelBytes, tensorsOf, type PlannedKernel } from '../jit/compile.ts';
import { formatAttributes } from '../ops/spec.ts';
import { flopsOf } from '../passes/cost.ts';
import { bytesOf } from '../passes/memory.ts';
import { gridOf } from '../device/grid.ts';
import type { ProfileKernel, ProfileNode, Span, TensorInfo } from '../profile/model.ts';
import type { Measured } from './measure.ts';
import type { CompiledSubject } from './subject.ts';

export const nodeId = (id: number): string => `n${id}`;

export function tensorInfo(x: { readonly meta: Node['meta'] }): TensorInfo {
  return { shape: x.meta.shape, dtype: x.meta.dtype, bytes: bytesOf(x as Node) };
}

export function spanOf(frames: readonly Frame[], fallback: Span): Span {
  const [frame] = frames;
  return frame ? { file: frame.file, line: frame.line, column: frame.column } : fallback;
}

/** Bytes that an op moves and operations that it makes when it runs by itself. */
export function costOf(node: Node): { bytes: number; flops: number } {
  if (node.kind === 'external' || (node.op.kind === 'move' && node.op.view)) return { bytes: 0, flops: 0 };
  return { bytes: nodeInputs(node).reduce((sum, x) => sum + bytesOf(x), bytesOf(node)), flops: flopsOf(node) };
}

export interface EagerCost {
  readonly dispatches: number;
  readonly ms?: number;
}

/** Kernels that a run launches: with control flow between them, those that look alike are one that is launched often. */
export function launched({ plans, straight }: Pick<CompiledSubject, 'plans' | 'straight'>): readonly PlannedKernel[][] {
  const kernels = plans.flatMap((plan) => plan.kernels);
  if (straight) return kernels.map((k) => [k]);
  const alike = new Map<string, PlannedKernel[]>();
  for (const k of kernels) {
    const key = `${k.name}|${k.pipeline.form.wgsl}`;
    alike.set(key, [...(alike.get(key) ?? []), k]);
  }
  return [...alike.values()];
}

export function describeNodes(
  recorded: readonly Node[],
  kernels: readonly PlannedKernel[][],
  eager: ReadonlyMap<Node, EagerCost>,
  fallback: Span,
): ProfileNode[] {
  const kernelOf = new Map<number, string>();
  kernels.forEach((group, i) => {
    for (const id of group.flatMap(originsOf)) if (!kernelOf.has(id)) kernelOf.set(id, kernelId(i));
  });
  return recorded.map((node) => {
    const kernel = [...node.origins].map((id) => kernelOf.get(id)).find((id) => id !== undefined);
    const cost = eager.get(node);
    const span = spanOf(node.stack, fallback);
    return {
      id: nodeId(node.id),
      op: node.kind === 'op' ? node.op.name : node.name,
      kind: node.kind === 'op' ? node.op.kind : node.role,
      span,
      stack: node.stack.length > 0 ? node.stack : [span],
      attributes: node.kind === 'op' ? formatAttributes(node.attributes) : '',
      inputs: nodeInputs(node).map((x) => nodeId(x.id)),
      output: tensorInfo(node),
      kernel,
      fate: fateOf(node, kernel !== undefined),
      ...costOf(node),
      eagerMs: cost?.ms,
      eagerDispatches: cost?.dispatches ?? 0,
    };
  });
}

function fateOf(node: Node, inKernel: boolean): ProfileNode['fate'] {
  if (node.kind === 'external') return 'input';
  if (node.op.kind === 'move' && node.op.view) return 'view';
  return inKernel ? 'kernel' : 'folded';
}

const kernelId = (i: number): string => `k${i}`;

export function describeTraced(
  all: readonly Node[],
  kernels: readonly PlannedKernel[][],
  straight: boolean,
  measured: Measured,
  fallback: Span,
): ProfileKernel[] {
  // A graph that was put together from others stands for the nodes of these.
  const recorded = new Map(all.flatMap((n) => [...n.origins].map((id) => [id, n] as const)));
  return kernels.flatMap((group, i) => {
    const [k] = group;
    if (!k) return [];
    const nodes = [...new Set(group.flatMap(originsOf).flatMap((id) => recorded.get(id) ?? []))];
    const { text } = k.kernel;
    const { reads, roots } = tensorsOf(k);
    const ran = straight ? ranOnce(measured, i) : ranOften(measured, k);
    return {
      id: kernelId(i),
      name: k.name,
      mode: 'traced',
      nodes: nodes.map((n) => nodeId(n.id)),
      spans: linesOf(nodes, fallback),
      wgsl: text.wgsl,
      wgslNodes: text.origins.map((id) => recordedId(recorded, id)),
      schedule: k.kernel.schedule,
      workgroups: [...gridOf(text.workgroups), 1],
      workgroupSize: [text.workgroupSize, 1, 1],
      launches: ran.launches,
      inputs: reads.map(tensorInfo),
      outputs: roots.map(tensorInfo),
      bytes: ran.launches * kernelBytes(k),
      flops: ran.launches * computedBy(k).reduce((sum, n) => sum + costOf(n).flops, 0),
      ms: ran.ms,
      boundary: [...new Set(k.sections.map((s) => s.group.boundary))].join('; '),
    };
  });
}

function recordedId(recorded: ReadonlyMap<number, Node>, id: number): string | null {
  const node = recorded.get(id);
  return node ? nodeId(node.id) : null;
}

interface Ran {
  readonly launches: number;
  readonly ms?: number;
}

function ranOnce({ dispatches }: Measured, i: number): Ran {
  return { launches: 1, ms: dispatches?.[i]?.ms };
}

/** With control flow a kernel runs as often as the run came by. */
function ranOften({ dispatches }: Measured, k: PlannedKernel): Ran {
  const own = dispatches?.filter(({ tag }) => tag.pipeline.form.wgsl === k.pipeline.form.wgsl && tag.label === k.name) ?? [];
  return { launches: own.length, ms: dispatches ? own.reduce((sum, d) => sum + d.ms, 0) : undefined };
}

function originsOf(k: PlannedKernel): number[] {
  return [...new Set(computedBy(k).flatMap((n) => [...n.origins]))].sort((a, b) => a - b);
}

/** A node once for each section that computes it. */
function computedBy({ sections }: PlannedKernel): Node[] {
  return sections.flatMap((s) => [...s.group.inside]);
}

/** One entry for each form of kernel that the eager run launched. */
export function describeEager(
  ops: readonly { node: Node; first: number; count: number }[],
  measured: Measured,
  fallback: Span,
): ProfileKernel[] {
  const forms = new Map<string, { nodes: Node[]; dispatches: NonNullable<Measured['dispatches']>[number][] }>();
  for (const { node, first, count } of ops) {
    for (const dispatch of measured.dispatches?.slice(first, first + count) ?? []) {
      const form = forms.get(dispatch.tag.pipeline.form.wgsl) ?? { nodes: [], dispatches: [] };
      form.nodes.push(node);
      form.dispatches.push(dispatch);
      forms.set(dispatch.tag.pipeline.form.wgsl, form);
    }
  }
  return [...forms].map(([wgsl, { nodes, dispatches }], i) => {
    const [first] = nodes;
    const [x, y] = gridOf(dispatches[0]?.tag.workgroups ?? 1);
    const costs = nodes.map(costOf);
    return {
      id: `e${i}`,
      name: dispatches[0]?.tag.label ?? '',
      mode: 'eager',
      nodes: nodes.map((n) => nodeId(n.id)),
      spans: linesOf(nodes, fallback),
      wgsl,
      wgslNodes: wgsl.split('\n').map(() => null),
      schedule: 'one op',
      workgroups: [x, y, 1],
      workgroupSize: [Number(/@workgroup_size\((\d+)\)/.exec(wgsl)?.[1] ?? 1), 1, 1],
      launches: dispatches.length,
      inputs: first ? nodeInputs(first).map(tensorInfo) : [],
      outputs: first ? [tensorInfo(first)] : [],
      bytes: costs.reduce((sum, c) => sum + c.bytes, 0),
      flops: costs.reduce((sum, c) => sum + c.flops, 0),
      ms: dispatches.reduce((sum, d) => sum + d.ms, 0),
    };
  });
}

function linesOf(nodes: readonly Node[], fallback: Span): Span[] {
  const lines = new Map<string, { span: Span; count: number }>();
  for (const node of nodes) {
    const span = spanOf(node.stack, fallback);
    const key = `${span.file}:${span.line}`;
    const known = lines.get(key);
    if (known) known.count++;
    else lines.set(key, { span, count: 1 });
  }
  return [...lines.values()].sort((a, b) => b.count - a.count).map(({ span }) => span);
}
