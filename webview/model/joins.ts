/**
 * @file The profile's ids, joined once. In: the document. Out: maps from ids and lines to what they name.
 * Every traced op has at most one home: the kernel that computes it or, for one that no kernel computes (a view, a
 * folded or an unused op), the earliest kernel that it feeds, else the one that feeds it.
 */
import type { Profile, ProfileKernel, ProfileNode, Span } from '../../runtime/profile/model.ts';

export interface ProfileIndex {
  readonly profile: Profile;
  readonly nodes: ReadonlyMap<string, ProfileNode>;
  /** Place of each node in the order of execution. */
  readonly order: ReadonlyMap<string, number>;
  readonly kernels: ReadonlyMap<string, ProfileKernel>;
  readonly traced: readonly ProfileKernel[];
  readonly consumers: ReadonlyMap<string, readonly string[]>;
  readonly byLine: ReadonlyMap<string, readonly string[]>;
  readonly home: ReadonlyMap<string, string>;
  /** Sum over the traced kernels; absent when none was timed. */
  readonly tracedMs?: number;
  readonly eagerMs?: number;
}

export function lineKey(place: { readonly file: string; readonly line: number }): string {
  return `${place.file}:${place.line}`;
}

export function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((total, value) => total + value, 0);
}

/** Homes of all ops, kernels' own first, then backwards through consumers, then forwards through inputs. */
function findHomes(
  profile: Profile,
  traced: readonly ProfileKernel[],
  consumers: ReadonlyMap<string, readonly string[]>,
): Map<string, string> {
  const rank = new Map(traced.map((kernel, index) => [kernel.id, index]));
  const home = new Map<string, string>();
  for (const kernel of traced) for (const id of kernel.nodes) if (!home.has(id)) home.set(id, kernel.id);
  for (const node of profile.nodes) if (node.kernel !== undefined && rank.has(node.kernel)) home.set(node.id, node.kernel);
  const earliest = (kernels: readonly (string | undefined)[]): string | undefined =>
    kernels
      .filter((id) => id !== undefined)
      .reduce<string | undefined>(
        (best, id) => (best === undefined || (rank.get(id) ?? 0) < (rank.get(best) ?? 0) ? id : best),
        undefined,
      );
  const homeless = (node: ProfileNode): boolean => node.fate !== 'input' && !home.has(node.id);
  for (const node of profile.nodes.toReversed()) {
    const found = homeless(node) ? earliest((consumers.get(node.id) ?? []).map((id) => home.get(id))) : undefined;
    if (found !== undefined) home.set(node.id, found);
  }
  for (const node of profile.nodes) {
    const found = homeless(node) ? home.get(node.inputs.findLast((id) => home.has(id)) ?? '') : undefined;
    if (found !== undefined) home.set(node.id, found);
  }
  for (const node of profile.nodes) if (node.fate === 'input') home.delete(node.id);
  return home;
}

export function indexProfile(profile: Profile): ProfileIndex {
  const consumers = new Map<string, string[]>();
  const byLine = new Map<string, string[]>();
  for (const node of profile.nodes) {
    for (const input of new Set(node.inputs)) push(consumers, input, node.id);
    for (const key of new Set([node.span, ...node.stack].map(lineKey))) push(byLine, key, node.id);
  }
  const traced = profile.kernels.filter((kernel) => kernel.mode === 'traced');
  return {
    profile,
    nodes: new Map(profile.nodes.map((node) => [node.id, node])),
    order: new Map(profile.nodes.map((node, index) => [node.id, index])),
    kernels: new Map(profile.kernels.map((kernel) => [kernel.id, kernel])),
    traced,
    consumers,
    byLine,
    home: findHomes(profile, traced, consumers),
    tracedMs: sum(traced.map((kernel) => kernel.ms)),
    eagerMs: sum(profile.nodes.map((node) => node.eagerMs)),
  };
}

/** The line's text without its indentation, as it was when it ran. */
export function sourceText(profile: Profile, span: Pick<Span, 'file' | 'line'>): string | undefined {
  return profile.sources[span.file]?.split('\n')[span.line - 1]?.trim();
}
