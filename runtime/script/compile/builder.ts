/**
 * @file Builds a program while the code is looked at. In: every op, in the order of the code, and the control flow around. Out:
 * blocks of steps. Ops between two pieces of control flow become one graph; what another graph needs of it is passed on as a
 * value, and views are taken anew from what they view, so that writes through them are seen.
 */
import { AbstractBackend } from '../../device/abstract.ts';
import { invariant, JitLensError } from '../../errors.ts';
import type { Frame } from '../../frames.ts';
import { GraphBuilder, isNode, titleOf, type ExternalNode, type Graph, type Node } from '../../ir/graph.ts';
import type { Argument, Program, ScalarType, Step, Value } from '../../ir/program.ts';
import { Parameter } from '../../nn/module.ts';
import { clone } from '../../ops/move.ts';
import { withRecorder, type Moded, type Recorder } from '../../ops/recorder.ts';
import type { Attributes, Meta, OpSpec } from '../../ops/spec.ts';
import type { Operand } from '../../tensor/backend.ts';
import { contiguous, type Layout } from '../../tensor/layout.ts';
import type { Storage } from '../../tensor/storage.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { Sharing } from './sharing.ts';

/** A graph that is being built. */
interface Segment {
  readonly step: { kind: 'segment'; graph: Graph; inputs: Value[]; outputs: Value[] };
  readonly build: GraphBuilder;
  readonly nodes: Map<Tensor, Node>;
  readonly imports: Map<Value, ExternalNode>;
  readonly values: Map<ExternalNode, Value>;
  readonly held: Map<Tensor, ExternalNode>;
  readonly brought: Map<Node, Node>;
  readonly exports: Map<Node, Value>;
}

/** Where a tensor was made: by a node of a graph, or as a value of the program. */
type Home = { readonly segment: Segment; readonly node: Node } | { readonly value: Value };

/** A block whose last graph may still grow. */
export interface OpenBlock {
  readonly steps: Step[];
  yields: Argument[];
  open?: Segment;
}

let nextId = 0;

export class Builder implements Recorder {
  readonly device = new AbstractBackend();
  readonly modes = new Map<Moded, { readonly training: boolean }>();
  /** Tensors of the code's own that it uses, and those among them that it writes. */
  readonly held = new Set<Tensor>();
  readonly sharing = new Sharing();
  readonly inputs: Value[] = [];
  private readonly homes = new Map<Tensor, Home>();
  private readonly segments: Segment[] = [];
  private readonly storages: object[] = [];
  private block: OpenBlock = { steps: [], yields: [] };
  readonly body = this.block;

  /** `at` gives the user's calls that lead to what is recorded. */
  constructor(
    private readonly at: () => readonly Frame[],
    private readonly names: ReadonlyMap<Tensor, string>,
  ) {}

  // What ops say.

  record(spec: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
    const segment = this.segment();
    const [target] = inputs;
    if (spec.inPlace && target instanceof Tensor) this.sharing.write(target.storage, spec.name);
    const node = segment.build.op(
      spec,
      inputs.map((x) => (typeof x === 'number' ? x : this.node(segment, x))),
      attributes,
      { stack: this.at() },
    );
    if (spec.inPlace) return;
    segment.nodes.set(out, node);
    this.homes.set(out, { segment, node });
  }

  knows(tensor: Tensor): boolean {
    return this.homes.has(tensor);
  }

  outside({ storage }: Tensor): string | undefined {
    const input = this.inputs.find((value) => this.memory.get(value) === storage);
    if (input) return titleOf({ name: input.name ?? 'an argument', title: input.title });
    return storage.backend === this.device ? undefined : this.titleOf(storage);
  }

  recordData(made: Tensor): void {
    const segment = this.segment();
    const tensor = withRecorder(undefined, () => clone(made));
    const node = this.external(segment, 'constant', `constant${this.homes.size}`, made, { made: true, tensor });
    segment.nodes.set(made, node);
    this.homes.set(made, { segment, node });
  }

  readMode(module: Moded): void {
    if (this.modes.has(module)) return;
    this.modes.set(module, { training: withRecorder(undefined, () => module.training) });
  }

  // Graphs and what passes between them.

  private segment(): Segment {
    if (this.block.open) return this.block.open;
    const empty: Graph = { nodes: [], outputs: [], writes: [] };
    const segment: Segment = {
      step: { kind: 'segment', graph: empty, inputs: [], outputs: [] },
      build: new GraphBuilder(),
      nodes: new Map(),
      imports: new Map(),
      values: new Map(),
      held: new Map(),
      brought: new Map(),
      exports: new Map(),
    };
    this.segments.push(segment);
    this.block.steps.push(segment.step);
    this.block.open = segment;
    return segment;
  }

  private node(segment: Segment, x: Tensor): Node {
    const known = segment.nodes.get(x);
    if (known) return known;
    const home = this.homes.get(x);
    const node = !home
      ? this.captured(segment, x)
      : 'value' in home
        ? this.imported(segment, home.value)
        : this.bring(segment, home.node, home.segment);
    segment.nodes.set(x, node);
    return node;
  }

  /** A tensor of the code's own. */
  private captured(segment: Segment, x: Tensor): ExternalNode {
    const known = segment.held.get(x);
    if (known) return known;
    if (x.storage.backend === this.device) {
      throw new JitLensError(
        'JL603',
        'a tensor that the code computed came back as another object, so the compiler lost it',
        'Do not wrap computed tensors (new Parameter(…)) in compiled code.',
        this.at()[0],
      );
    }
    this.held.add(x);
    const role = x instanceof Parameter ? 'parameter' : 'constant';
    const node = this.external(segment, role, this.names.get(x) ?? `captured${this.held.size}`, x, {
      tensor: x,
      title: this.titleOf(x.storage),
    });
    segment.held.set(x, node);
    return node;
  }

  /** Of a tensor of the code's own. */
  private titleOf(storage: Storage): string {
    const name = [...this.names].find(([x]) => x.storage === storage)?.[1];
    return name === undefined ? 'a tensor that the code holds' : titleOf({ name });
  }

  private imported(segment: Segment, value: Value): ExternalNode {
    const known = segment.imports.get(value);
    if (known) return known;
    const position = segment.step.inputs.push(value) - 1;
    const meta = invariant(value.meta, 'a tensor has a shape');
    const layout = value.layout ?? contiguous(meta.shape);
    const name = value.name ?? `value${value.id}`;
    const storage = this.storageOf(this.storage(value));
    const { title } = value;
    const node = segment.build.external({ role: 'input', name, title, layout, meta, stack: this.at(), storage, position });
    segment.imports.set(value, node);
    segment.values.set(node, value);
    return node;
  }

  /** The same in another graph: views are taken there, what was computed is passed on. */
  private bring(segment: Segment, node: Node, from: Segment): Node {
    if (segment === from) return node;
    const known = segment.brought.get(node);
    if (known) return known;
    const made = this.remake(segment, node, from);
    segment.brought.set(node, made);
    return made;
  }

  private remake(segment: Segment, node: Node, from: Segment): Node {
    if (node.kind === 'external') {
      const value = from.values.get(node);
      if (value) return this.imported(segment, value);
      if (node.made) return this.imported(segment, this.exported(from, node));
      return this.captured(segment, invariant(node.tensor, 'a tensor of the code is held'));
    }
    if (node.op.kind === 'move' && node.op.view && isNode(node.inputs[0]))
      return segment.build.op(node.op, [this.bring(segment, node.inputs[0], from)], node.attributes, node);
    return this.imported(segment, this.exported(from, node));
  }

  private exported(segment: Segment, node: Node, x?: Tensor): Value {
    const known = segment.exports.get(node);
    if (known) return known;
    const value: Value = { id: nextId++, type: 'tensor', meta: node.meta, layout: x?.layout ?? contiguous(node.meta.shape) };
    segment.exports.set(node, value);
    const base = x?.storage ?? [...segment.nodes].find(([, n]) => n === node)?.[0].storage;
    if (base) this.bind(value, base);
    return value;
  }

  private external(
    segment: Segment,
    role: ExternalNode['role'],
    name: string,
    x: Tensor,
    more: Pick<ExternalNode, 'made' | 'tensor' | 'title'>,
  ): ExternalNode {
    const meta = { shape: x.shape, dtype: x.dtype };
    const storage = this.storageOf(x.storage);
    return segment.build.external({ role, name, layout: x.layout, meta, stack: this.at(), storage, ...more });
  }

  private storageOf(storage: object): number {
    const at = this.storages.indexOf(storage);
    return at < 0 ? this.storages.push(storage) - 1 : at;
  }

  private readonly memory = new Map<Value, Storage>();

  /** Says which memory a value stands for. */
  private bind(value: Value, storage: Storage): void {
    this.memory.set(value, storage);
  }

  private storage(value: Value): object {
    return this.memory.get(value) ?? value;
  }

  // Values.

  scalar(type: ScalarType, name?: string): Value {
    return { id: nextId++, type, name };
  }

  /** A tensor that exists when the program runs, as the code sees it. */
  tensor(
    meta: Meta,
    layout: Layout = contiguous(meta.shape),
    called: Pick<Value, 'name' | 'title'> = {},
  ): { value: Value; tensor: Tensor } {
    const value: Value = { id: nextId++, type: 'tensor', meta, layout, ...called };
    const tensor = new Tensor(this.device.allocate(meta.dtype, meta.shape), layout);
    this.adopt(tensor, value);
    return { value, tensor };
  }

  adopt(tensor: Tensor, value: Value): void {
    this.homes.set(tensor, { value });
    this.bind(value, tensor.storage);
  }

  /** The value that a tensor is; a tensor of the code's own is a constant. */
  argument(x: Tensor): Argument {
    const home = this.homes.get(x);
    if (!home) {
      this.held.add(x);
      return { constant: x };
    }
    if ('value' in home) return home.value;
    return this.exported(home.segment, home.node, x);
  }

  // Control flow.

  /** Appends a step, after all ops so far. */
  step(step: Step): void {
    this.close();
    this.block.steps.push(step);
  }

  /** Appends a step that needs nothing of the graph that is being built. */
  before(step: Step): void {
    const { steps, open } = this.block;
    if (open) steps.splice(steps.indexOf(open.step), 0, step);
    else steps.push(step);
  }

  close(): void {
    this.block.open = undefined;
  }

  /** Runs `body` with its steps in a block of their own. */
  inside<T>(body: () => T, block: OpenBlock = { steps: [], yields: [] }): { result: T; block: OpenBlock } {
    const outer = this.block;
    outer.open = undefined;
    this.block = block;
    try {
      return { result: body(), block };
    } finally {
      this.block.open = undefined;
      this.block = outer;
    }
  }

  finish(yields: Argument[]): Program {
    this.body.yields = yields;
    for (const { step, build, exports } of this.segments) {
      step.graph = { nodes: build.nodes, outputs: [...exports.keys()], writes: [] };
      step.outputs.push(...exports.values());
    }
    return { inputs: this.inputs, body: this.body };
  }
}
