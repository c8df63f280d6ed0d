/**
 * @file What was chosen for a graph, as text. In: a choice, or such text and a graph that reads the same. Out: the other one.
 * Nodes stand there by their places in the graph, so that lines of code and tensors are always those of this process.
 */
import { invariant } from '../errors.ts';
import type { ExternalNode, Graph, Node, OpNode } from '../ir/graph.ts';
import type { Access } from '../device/pipelines.ts';
import type { FusedGroup, Fusion } from '../passes/fuse.ts';
import { inPieces, type WideJoin } from '../passes/wide-join.ts';
import { placesOf, type Chosen, type ChosenKernel, type KernelSection } from './choose.ts';

/** Numbers are places in the graph, in `groups`, or in `texts`: kernels that look alike have one text. */
interface Stored {
  readonly wide: readonly WideJoin[];
  readonly texts: readonly string[];
  readonly groups: readonly { readonly roots: number[]; readonly inside: number[]; readonly boundary: number }[];
  readonly inPlace: readonly (readonly [value: number, target: number])[];
  readonly kernels: readonly StoredKernel[];
}

interface StoredKernel {
  readonly sections: readonly { readonly group: number; readonly reads: number[] }[];
  readonly storages: number[];
  readonly access: readonly Access[];
  readonly wgsl: number;
  readonly schedule: number;
  readonly origins: number[];
  readonly parameters: number[];
  readonly workgroups: number;
  readonly workgroupSize: number;
  readonly offsets: readonly number[];
}

export function encode({ fusion, inPlace, kernels }: Chosen): string {
  const places = new Map(fusion.graph.nodes.map((node, i) => [node, i]));
  const ids = new Map(fusion.graph.nodes.map((node, i) => [node.id, i]));
  const groups = new Map(fusion.groups.map((group, i) => [group, i]));
  const texts = new Map<string, number>();
  const textOf = (text: string): number => {
    const known = texts.get(text) ?? texts.size;
    texts.set(text, known);
    return known;
  };
  const placeOf = (node: Node): number => invariant(places.get(node), 'a node of the graph');
  const stored: Omit<Stored, 'texts'> = {
    wide: fusion.wide,
    groups: fusion.groups.map(({ roots, inside, boundary }) => ({
      roots: roots.map(placeOf),
      inside: [...inside].map(placeOf),
      boundary: textOf(boundary),
    })),
    inPlace: [...inPlace].map(([value, target]) => [placeOf(value), placeOf(target)]),
    kernels: kernels.map(({ sections, kernel }) => ({
      sections: sections.map(({ group, reads }) => ({
        group: invariant(groups.get(group), 'a group of the graph'),
        reads: reads.map(placeOf),
      })),
      storages: kernel.storages.map(placeOf),
      access: kernel.form.access,
      wgsl: textOf(kernel.text.wgsl),
      schedule: textOf(kernel.schedule),
      origins: kernel.text.origins.map((id) => ids.get(id) ?? -1),
      parameters: [...kernel.text.parameters],
      workgroups: kernel.text.workgroups,
      workgroupSize: kernel.text.workgroupSize,
      offsets: kernel.offsets,
    })),
  };
  return JSON.stringify({ ...stored, texts: [...texts.keys()] } satisfies Stored);
}

export function decode(text: string, given: Graph): Chosen {
  const stored = JSON.parse(text) as Stored;
  const graph = stored.wide.reduce(inPieces, given);
  const nodeAt = (place: number): Node => invariant(graph.nodes[place], 'a node of the graph');
  const opAt = (place: number): OpNode => {
    const node = nodeAt(place);
    return invariant(node.kind === 'op' && node, 'an op');
  };
  const externalAt = (place: number): ExternalNode => {
    const node = nodeAt(place);
    return invariant(node.kind === 'external' && node, 'a tensor from outside');
  };
  const textAt = (i: number): string => invariant(stored.texts[i], 'a text');
  const groups = stored.groups.map(({ roots, inside, boundary }): FusedGroup => ({
    roots: roots.map(opAt),
    inside: new Set(inside.map(nodeAt)),
    boundary: textAt(boundary),
  }));
  const fusion: Fusion = { groups, graph, wide: stored.wide };
  const inPlace = new Map(stored.inPlace.map(([value, target]) => [nodeAt(value), externalAt(target)]));
  const kernels = stored.kernels.map((k): ChosenKernel => {
    const sections = k.sections.map(({ group, reads }): KernelSection => ({
      group: invariant(groups[group], 'a group'),
      reads: reads.map(nodeAt),
    }));
    const kernelText = {
      wgsl: textAt(k.wgsl),
      origins: k.origins.map((place) => (place < 0 ? -1 : nodeAt(place).id)),
      parameters: Int32Array.from(k.parameters),
      workgroups: k.workgroups,
      workgroupSize: k.workgroupSize,
    };
    const kernel = {
      text: kernelText,
      form: { wgsl: kernelText.wgsl, access: k.access, parameters: k.parameters.length },
      storages: k.storages.map(nodeAt),
      offsets: k.offsets,
      schedule: textAt(k.schedule),
    };
    return { sections, kernel };
  });
  return { fusion, inPlace, places: placesOf(fusion, kernels, inPlace), kernels };
}
