/**
 * @file What each line of a file cost, from a profile. In: a profile and a file. Out: one entry for each line that
 * called an op. A figure that the profile lacks is absent, never 0. Knows nothing of VS Code.
 */
import type { Profile, ProfileKernel, ProfileNode } from '../../runtime/profile/model.ts';
import { duration } from './duration.ts';

export interface LineCost {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** One line each. */
  readonly details: readonly string[];
}

export function lineCosts(profile: Profile, file: string): LineCost[] {
  const lines = new Map<number, ProfileNode[]>();
  for (const node of profile.nodes) {
    if (node.fate === 'input' || node.span.file !== file) continue;
    const nodes = lines.get(node.span.line);
    if (nodes) nodes.push(node);
    else lines.set(node.span.line, [node]);
  }
  const all = total(profile.nodes);
  const as = profile.compiledAs ?? 'traced';
  const kernels = new Map(profile.kernels.filter(({ mode }) => mode === 'traced').map((kernel) => [kernel.id, kernel]));
  return [...lines]
    .sort(([a], [b]) => a - b)
    .map(([line, nodes]) => {
      const eagerMs = total(nodes);
      const into = [...new Set(nodes.flatMap(({ kernel }) => kernel ?? []))].flatMap((id) => kernels.get(id) ?? []);
      const share = eagerMs !== undefined && all ? ` · ${Math.round((100 * eagerMs) / all)} %` : '';
      const dispatches = sum(nodes, ({ eagerDispatches }) => eagerDispatches);
      return {
        line,
        text: eagerMs === undefined ? untimed(nodes, into, as) : `${duration(eagerMs)} eager${share}`,
        details: [
          count(nodes),
          ...(eagerMs === undefined ? [] : [`Eager: ${duration(eagerMs)} in ${dispatches} dispatches`]),
          ...into.map(
            (kernel) => `${as === 'scripted' ? 'Scripted' : 'Traced'}: in ${named(kernel)} with ${kernel.nodes.length} ops`,
          ),
          ...(profile.device.kind === 'gpu' ? [] : [`Times are of ${profile.device.name}, not of a GPU`]),
        ],
      };
    });
}

function named({ name, ms }: ProfileKernel): string {
  return ms === undefined ? name : `${name} (${duration(ms)})`;
}

/** For a line that no clock saw: a view, or a device without timestamps. */
function untimed(nodes: readonly ProfileNode[], into: readonly ProfileKernel[], as: string): string {
  if (nodes.every(({ fate }) => fate === 'view')) return 'free';
  const [only, ...others] = into;
  if (!only) return nodes.every(({ fate }) => fate === 'unused') ? `unused when ${as}` : `free when ${as}`;
  return others.length === 0 ? only.name : `${into.length} kernels`;
}

/** `24 × matmul, 1 × view`, most frequent first. */
function count(nodes: readonly ProfileNode[]): string {
  const ops = new Map<string, number>();
  for (const { op } of nodes) ops.set(op, (ops.get(op) ?? 0) + 1);
  const sorted = [...ops].sort(([, a], [, b]) => b - a);
  return sorted.map(([op, times]) => `${times} × ${op}`).join(', ');
}

function total(nodes: readonly ProfileNode[]): number | undefined {
  return nodes.some(({ eagerMs }) => eagerMs !== undefined) ? sum(nodes, ({ eagerMs }) => eagerMs ?? 0) : undefined;
}

function sum(nodes: readonly ProfileNode[], figure: (node: ProfileNode) => number): number {
  return nodes.reduce((all, node) => all + figure(node), 0);
}
