/**
 * @file Kernels for every size of a graph's dynamic dims. In: graphs of one function, recorded at several sizes. Out: choices as for a
 * compile, with kernels whose texts, and so whose pipelines, are the same for all graphs of one form: what can be chosen is chosen
 * for the first of them. Much larger sizes, a graph of another form, a kernel that cannot be the same: these are chosen anew.
 */
import type { Gpu } from '../device/gpu.ts';
import type { Graph } from '../ir/graph.ts';
import { Templates, type MayVary } from '../kernels/template.ts';
import { fuse, type Fusion } from '../passes/fuse.ts';
import { optimise, type Optimised } from '../passes/pipeline.ts';
import { splitSums } from '../passes/split-sums.ts';
import { splitVariances } from '../passes/split-variances.ts';
import { withKernels, type Chosen, type Timed } from './choose.ts';
import { formOfGraph, GroupPlaces } from './form.ts';

/** Sizes up to so many times those that a choice was made for are served by it. */
const GROWTH = 64;

/** Graphs at other sizes that a new choice is compared with. */
const MOST_TWINS = 8;

/** A form of the graph. */
interface Variant {
  /** The dynamic dims that it was chosen for. */
  readonly sizes: readonly number[];
  readonly form: string;
  readonly groups: GroupPlaces;
  /** Texts of kernels, by the number of their group. */
  readonly templates: Templates;
}

/** A graph's groups, and the form that they are of. */
interface Fitting {
  readonly variant: Variant;
  readonly fusion: Fusion;
}

const untimed: Timed = (_, body) => body();

export class Family {
  private readonly variants: Variant[] = [];
  /** Kernels of single ops, for runs that are recorded: no number stands in their texts. */
  readonly eager = new Templates();
  /** What the dynamic dims are now. */
  sizes: readonly number[] = [];
  /** Graphs that were compiled at other sizes before. */
  twins: () => readonly Graph[] = () => [];

  /** Texts that were made so far. */
  get made(): number {
    return this.variants.reduce((n, v) => n + v.templates.made, this.eager.made);
  }

  /** Sums are cut in as many parts as their extents ask for: where that makes another form, they stay whole. */
  optimised(recorded: Graph, without: readonly string[] = []): Optimised {
    const usual = optimise(recorded, { without });
    if (this.variants.length === 0 || this.variantOf(usual.graph)) return usual;
    const whole = optimise(recorded, { without: [...without, splitSums.name, splitVariances.name] });
    return this.variantOf(whole.graph) ? whole : usual;
  }

  choose(graph: Graph, gpu: Gpu, timed: Timed): Chosen {
    const known = this.variantOf(graph);
    const own = known ?? timed('fusion', () => this.variant(graph, gpu));
    const others = known
      ? []
      : this.twins()
          .flatMap((twin) => fitting(own.variant, twin) ?? [])
          .slice(0, MOST_TWINS);
    this.twins = () => [];
    // What varies shows in the others: the text is made once all have been looked at.
    if (others.length > 0)
      for (const each of [own, ...others]) timed('kernels', () => this.withTexts(each, gpu, untimed, () => false));
    const { sizes } = this;
    // Until it shows: numbers that a dynamic dim divides, or its last place.
    const mayVary = (n: number) => n !== 0 && sizes.some((size) => n % size === 0 || (size > 2 && n % (size - 1) === 0));
    return this.withTexts(own, gpu, timed, mayVary);
  }

  private withTexts({ variant, fusion }: Fitting, gpu: Gpu, timed: Timed, mayVary: MayVary): Chosen {
    return withKernels(fusion, timed, (own, storageOf, group) =>
      variant.templates.kernel(String(group), own, storageOf, gpu.target, mayVary),
    );
  }

  private variantOf(graph: Graph): Fitting | undefined {
    for (const variant of this.variants) {
      const isNear = this.sizes.every((size, i) => size <= GROWTH * (variant.sizes[i] ?? size));
      const found = isNear ? fitting(variant, graph) : undefined;
      if (found) return found;
    }
    return undefined;
  }

  private variant(graph: Graph, gpu: Gpu): Fitting {
    const fusion = fuse(graph, { maxStorageBuffers: gpu.maxStorageBuffers });
    const groups = new GroupPlaces(fusion);
    const variant = { sizes: this.sizes, form: formOfGraph(graph), groups, templates: new Templates() };
    this.variants.push(variant);
    return { variant, fusion };
  }
}

function fitting(variant: Variant, graph: Graph): Fitting | undefined {
  const fusion = variant.form === formOfGraph(graph) ? variant.groups.in(graph) : undefined;
  return fusion && { variant, fusion };
}
