/**
 * @file Recording a run. In: every op that runs while it is active. Out: a graph of what was called, views and in-place
 * writes as they were, each with the lines that called it. Tensors that come from outside are held, not copied.
 */
import { JitLensError } from '../errors.ts';
import { GraphBuilder, titleOf, type ExternalNode, type Graph, type Node } from '../ir/graph.ts';
import { Parameter } from '../nn/module.ts';
import { clone } from '../ops/move.ts';
import { withRecorder, type Moded, type Recorder } from '../ops/recorder.ts';
import type { Attributes, OpSpec } from '../ops/spec.ts';
import type { Backend, Later, Operand } from '../tensor/backend.ts';
import type { Storage } from '../tensor/storage.ts';
import type { Tensor } from '../tensor/tensor.ts';
import type { Tree } from './tree.ts';
import { at, userFrames, type Frame } from '../frames.ts';

/** Where a gradient is left: on an argument, or on a tensor that the code holds. */
export interface LeftGradient {
  readonly position?: number;
  readonly tensor?: Tensor;
}

/** What a module that was asked whether it is training said, and where it was asked. */
export interface AskedMode {
  readonly training: boolean;
  readonly place?: Frame;
}

export class TraceRecorder implements Recorder {
  private readonly build = new GraphBuilder();
  private readonly nodes = new Map<Tensor, Node>();
  /** What came first from each memory outside, in the order of their numbers. */
  private readonly externals = new Map<Storage, ExternalNode>();
  /** Memory of tensors that ops made (or viewed) while recording. */
  private readonly made = new Set<Storage>();
  /** Modules that were asked whether they are training, and what they said. */
  readonly modes = new Map<Moded, AskedMode>();

  /**
   * `names` gives parameters the names that they have in their module. On a `device` without elements the code is only looked at;
   * `later` takes ops that need not run at once.
   */
  constructor(
    { tensors, path }: Pick<Tree, 'tensors' | 'path'>,
    private readonly names: ReadonlyMap<Tensor, string> = new Map(),
    readonly device?: Backend,
    readonly later?: Later,
  ) {
    tensors.forEach((x, i) => {
      if (!this.nodes.has(x)) this.external('input', `input${i}`, x, { position: i, title: `‘${path(i)}’` });
    });
  }

  record(spec: OpSpec, inputs: readonly Operand[], attributes: Attributes, out: Tensor): void {
    const node = this.build.op(
      spec,
      inputs.map((x) => (typeof x === 'number' ? x : this.node(x))),
      attributes,
      { stack: userFrames() },
    );
    if (spec.inPlace) return;
    this.nodes.set(out, node);
    this.made.add(out.storage);
  }

  knows(tensor: Tensor): boolean {
    return this.nodes.has(tensor);
  }

  outside(x: Tensor): string | undefined {
    const known = this.externals.get(x.storage);
    if (known) return known.made ? undefined : titleOf(known);
    return this.made.has(x.storage) ? undefined : this.titleOf(x);
  }

  recordData(made: Tensor): void {
    // The code may write it while it is recorded; every later call starts from what it was.
    const tensor = withRecorder(undefined, () => clone(made));
    this.external('constant', `constant${this.nodes.size}`, made, { made: true, tensor });
  }

  readMode(module: Moded): void {
    if (!this.modes.has(module))
      this.modes.set(module, { training: withRecorder(undefined, () => module.training), place: userFrames()[0] });
  }

  private node(x: Tensor): Node {
    const known = this.nodes.get(x);
    if (known) return known;
    if (this.made.has(x.storage) && !this.externals.has(x.storage)) {
      throw new JitLensError(
        'JL603',
        'a tensor that the traced function computed came back as another object, so the trace lost it',
        'Do not wrap computed tensors (new Parameter(…)) inside a traced function.',
        userFrames()[0],
      );
    }
    const name = this.names.get(x) ?? `captured${this.nodes.size}`;
    return this.external(x instanceof Parameter ? 'parameter' : 'constant', name, x, { title: this.titleOf(x) });
  }

  /** Of one that the code holds, when it uses it first. */
  private titleOf(x: Tensor): string {
    const name = this.names.get(x);
    return name === undefined ? `a tensor that the code holds, used${at(userFrames()[0])}` : `‘${name}’`;
  }

  private external(
    role: ExternalNode['role'],
    name: string,
    x: Tensor,
    more: Pick<ExternalNode, 'position' | 'made' | 'tensor' | 'title'> = {},
  ): ExternalNode {
    const meta = { shape: x.shape, dtype: x.dtype };
    const storage = this.externals.get(x.storage)?.storage ?? this.externals.size;
    // An argument is bound anew at each call; holding the example would keep its memory.
    const tensor = role === 'input' ? undefined : x;
    const node = this.build.external({ role, name, layout: x.layout, meta, stack: userFrames(), storage, tensor, ...more });
    this.nodes.set(x, node);
    if (!this.externals.has(x.storage)) this.externals.set(x.storage, node);
    return node;
  }

  /** Gradients that the code left on tensors from outside. */
  gradients(): (LeftGradient & { readonly gradient: Tensor })[] {
    return [...this.nodes].flatMap(([x, node]) => {
      const gradient = x.heldGrad;
      if (node.kind !== 'external' || !gradient || !this.nodes.has(gradient)) return [];
      return [{ position: node.position, tensor: node.position === undefined ? x : undefined, gradient }];
    });
  }

  finish(outputs: readonly Tensor[]): Graph {
    const results = outputs.map((x) => this.node(x));
    return { nodes: this.build.nodes, outputs: results, writes: [] };
  }
}
