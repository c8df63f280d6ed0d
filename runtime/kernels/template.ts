/**
 * @file One kernel for many sizes. In: the same kernel's loop nest at several sizes. Out: a text that serves them all, and the
 * parameters of each: what changed between sizes is a parameter, all else is written out. What a schedule is chosen by are the
 * extents of the first nest. A nest whose text has another form does not fit; what fits is always computed as for its own sizes.
 */
import { invariant } from '../errors.ts';
import { axis, fromAxis, type Axis } from '../tensor/affine.ts';
import { everyExpr, overAxes } from './axes.ts';
import type { Target } from '../device/gpu.ts';
import { bindingsOf, formOf, inVectors, sentenceOf, type Kernel, type StorageOf } from './kernel.ts';
import type { Lowered } from './lower.ts';
import { renamed, VARYING } from './names.ts';
import type { Nest } from './nest.ts';
import { asBound, rewritten, schedule } from './schedule.ts';
import { kernelText, type BoundBuffer, type KernelText } from './sections.ts';
import { filled, type Hole } from './text.ts';
import { emitOpen } from './wgsl.ts';

export type MayVary = (value: number) => boolean;

interface Bound {
  readonly buffers: readonly BoundBuffer[];
  readonly slots: readonly number[];
}

/** Without parameters as yet. */
interface OpenText extends KernelText {
  readonly holes: readonly Hole[];
}

interface Written {
  readonly text: OpenText;
  readonly schedule: string;
  readonly inQuads: boolean;
}

interface Filled {
  readonly text: KernelText;
  readonly schedule: string;
  /** Whether it is another text than before. */
  readonly changed: boolean;
}

/** The kernel at one set of sizes. */
interface Sample {
  readonly nest: Nest;
  readonly axes: readonly Axis[];
  readonly bound: Bound;
}

function sampleOf(lowered: Nest, bound: Bound): Sample {
  const nest = rewritten(lowered);
  return { nest, axes: axesOf(nest), bound };
}

/** Kernels by what they are for, each with texts of as many forms as its sizes ask for. */
export class Templates {
  private readonly known = new Map<string, Template[]>();
  /** Texts that were made, one after the other. */
  made = 0;

  /** As `buildKernel`; `mayVary` guesses which numbers vary in a kernel until another size shows it. */
  kernel<S extends object>(
    what: string,
    { nest, reads, roots }: Lowered,
    storageOf: StorageOf<S>,
    target: Target,
    mayVary: MayVary,
  ): Kernel<S> {
    const { bindings, slots } = bindingsOf(reads.length, roots.length, storageOf);
    const { text, schedule } = this.textOf(what, sampleOf(nest, { buffers: bindings, slots }), target, mayVary);
    return {
      text,
      schedule,
      storages: bindings.map((b) => b.storage),
      form: formOf(text, bindings),
      offsets: bindings.map(() => 0),
    };
  }

  private textOf(what: string, sample: Sample, target: Target, mayVary: MayVary): Filled {
    const templates = this.known.get(what) ?? [];
    for (const template of templates) {
      const filled = template.fit(sample);
      if (filled?.changed) this.made++;
      if (filled) return filled;
    }
    this.made++;
    const template = new Template(sample, target, mayVary, templates.length === 0);
    this.known.set(what, [...templates, template]);
    // What varies shows in the sizes that others were made for, where those are of this form too.
    for (const { first } of templates) template.fit(first);
    return invariant(template.fit(sample), 'a kernel fits itself');
  }
}

/** More numbers than this that may vary have one parameter for all that are equal. */
const OWN_PARAMETERS = 64;

class Template {
  /** Axes that vary, by number. */
  private varying: ReadonlySet<number>;
  private form: string;
  /** The numbers at those sizes that made the text what it is. */
  private known: readonly (readonly Hole[])[];

  constructor(
    readonly first: Sample,
    private readonly target: Target,
    private readonly mayVary: MayVary,
    /** Strides that are whole vectors at some sizes only make another form: that one is without, and serves all others. */
    private quads: boolean,
  ) {
    this.varying = new Set(first.axes.flatMap((a, i) => (mayVary(a.extent) ? [i] : [])));
    const { text, inQuads } = this.write(first, this.varying);
    this.quads = inQuads;
    this.form = text.wgsl;
    this.known = [text.holes];
  }

  /** The kernel at these sizes; undefined where it is of another form. */
  fit(sample: Sample): Filled | undefined {
    const { first } = this;
    if (!alike(sample, first)) return undefined;
    const others = sample.axes.flatMap((a, i) => (a.extent === first.axes[i]?.extent || this.varying.has(i) ? [] : [i]));
    const varying = new Set([...this.varying, ...others]);
    const here = this.write(sample, varying);
    if (others.length === 0) {
      if (here.text.wgsl !== this.form) return undefined;
      const changed = !this.serves(here.text.holes);
      if (changed) this.known = [...this.known, here.text.holes];
      return { ...this.fill(here), changed };
    }
    const before = this.write(first, varying);
    if (before.text.wgsl !== here.text.wgsl) return undefined;
    this.varying = varying;
    this.form = before.text.wgsl;
    this.known = [before.text.holes, here.text.holes];
    return { ...this.fill(here), changed: true };
  }

  private write({ nest, axes, bound }: Sample, varying: ReadonlySet<number>): Written {
    const usual = (i: number) => (varying.has(i) ? this.first.axes[i]?.extent : undefined);
    const plan = asBound(schedule(numbered(nest, axes, usual), this.target, this.quads), bound.slots);
    const buffers = inVectors(plan, bound.slots, bound.buffers);
    const { holes, ...section } = emitOpen(plan, bound.slots, buffers);
    const text = kernelText([section], buffers, plan.workgroupSize);
    const open = { ...text, wgsl: renamed(text.wgsl, VARYING), holes };
    return { text: open, schedule: sentenceOf(plan), inQuads: plan.quads !== undefined };
  }

  private fill({ text, schedule }: Written): Omit<Filled, 'changed'> {
    const { holes, ...rest } = text;
    const names = this.names();
    const { text: wgsl, parameters } = filled(text.wgsl, holes, (i) => names[i]);
    return { text: { ...rest, wgsl, parameters }, schedule };
  }

  /** For each number that varies the name of its parameter: those that were equal at all sizes have one. */
  private names(): readonly (string | undefined)[] {
    const [first = [], ...others] = this.known;
    const guessed = others.length > 0 ? [] : first.map((h) => this.mayVary(h.value));
    const own = guessed.filter(Boolean).length <= OWN_PARAMETERS;
    return first.map((h, i) => {
      if (h.varies || (own && guessed[i])) return String(i);
      const values = this.known.map((holes) => shown(holes[i]));
      return guessed[i] || values.some((v) => v !== values[0]) ? values.join(' ') : undefined;
    });
  }

  /** Whether the text, with other parameters, has these numbers. */
  private serves(holes: readonly Hole[]): boolean {
    const values = new Map<string, string>();
    const [first = []] = this.known;
    return this.names().every((name, i) => {
      const value = shown(holes[i]);
      if (name === undefined) return value === shown(first[i]);
      const twin = values.get(name) ?? value;
      values.set(name, twin);
      return value === twin;
    });
  }
}

function shown(hole: Hole | undefined): string {
  return `${hole?.kind ?? ''} ${Object.is(hole?.value, -0) ? '-0' : (hole?.value ?? '')}`;
}

function alike(a: Sample, b: Sample): boolean {
  const bindings = ({ slots, buffers }: Bound) => `${slots.join()} ${buffers.map((x) => `${x.dtype}${x.writable}`).join()}`;
  return a.axes.length === b.axes.length && bindings(a.bound) === bindings(b.bound);
}

/** The axes of a nest, each once, in an order that its form alone decides. */
function axesOf(nest: Nest): readonly Axis[] {
  const found = new Map<string, Axis>();
  for (const a of nest.axes) found.set(a.key, a);
  for (const e of everyExpr(nest)) {
    const own = e.kind === 'reduce' ? e.axes : e.kind === 'bind' ? [e.as] : e.kind === 'segment' ? [e.over] : [];
    for (const a of own) found.set(a.key, a);
  }
  return [...found.values()];
}

/** The nest with numbers for names of its axes; `usual` gives the extent that those which vary are made for. */
function numbered(nest: Nest, axes: readonly Axis[], usual: (i: number) => number | undefined): Nest {
  const made = new Map(axes.map((a, i) => [a.key, axis(`a${i}`, a.extent, usual(i))]));
  const to = (a: Axis) => {
    const other = made.get(a.key);
    return other && fromAxis(other);
  };
  const cut = (a: Axis) => [made.get(a.key) ?? a];
  return overAxes(nest, to, cut);
}
