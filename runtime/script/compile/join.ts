/**
 * @file Graphs side by side. In: a program. Out: the same with every two graphs that nothing stands between as one, so that what the
 * one computes need not be stored for the other.
 */
import { invariant } from '../../errors.ts';
import { GraphBuilder, isNode, withInputs, type ExternalNode, type Graph, type Node, type NodeInput } from '../../ir/graph.ts';
import { type Block, type IfStep, type Program, type SegmentStep, type Step, type Value } from '../../ir/program.ts';
import type { OpSpec } from '../../ops/spec.ts';
import { contiguous } from '../../tensor/layout.ts';
import type { Tensor } from '../../tensor/tensor.ts';

export function join(program: Program): Program {
  return { ...program, body: inBlock(program.body) };
}

function inBlock(block: Block): Block {
  const steps: Step[] = [];
  for (const step of block.steps) {
    const last = steps.at(-1);
    if (step.kind === 'segment' && last?.kind === 'segment') steps[steps.length - 1] = joined(last, step);
    else if (step.kind === 'if') steps.push({ ...step, then: inBlock(step.then), otherwise: inBlock(step.otherwise) });
    else if (step.kind === 'loop') steps.push({ ...step, body: inBlock(step.body) });
    else steps.push(step);
  }
  return { ...block, steps };
}

/** Several graphs as one. */
export class Joint {
  private readonly build = new GraphBuilder();
  private readonly imports = new Map<Value, Node>();
  private readonly held = new Map<Tensor, Node>();
  private readonly inputs: Value[] = [];

  op(spec: OpSpec, inputs: readonly NodeInput[], { stack }: Pick<IfStep, 'stack'>): Node {
    return this.build.op(spec, inputs, {}, { stack });
  }

  /** A value from outside. */
  import(value: Value, { stack }: Pick<IfStep, 'stack'>, like?: Node): Node {
    const known = this.imports.get(value);
    if (known) return known;
    const position = this.inputs.push(value) - 1;
    const meta = invariant(value.meta, 'a tensor has a shape');
    const layout = value.layout ?? contiguous(meta.shape);
    // Beyond those of the graphs, whose storages are numbered from 0: what is joined writes nothing through these.
    const storage = like?.kind === 'external' ? like.storage : 1_000_000 + position;
    const made = this.build.external({
      role: 'input',
      name: value.name ?? `value${value.id}`,
      layout,
      meta,
      stack,
      storage,
      position,
    });
    this.imports.set(value, made);
    return made;
  }

  /** Adds a graph; gives the nodes of its outputs. */
  add(step: SegmentStep, known: ReadonlyMap<Value, Node> = new Map()): Map<Value, Node> {
    const now = new Map<Node, Node>();
    const current = (node: Node) => invariant(now.get(node), 'inputs precede their uses');
    for (const node of step.graph.nodes) {
      if (node.kind === 'op') {
        now.set(
          node,
          this.build.keep(
            withInputs(
              node,
              node.inputs.map((x) => (isNode(x) ? current(x) : x)),
            ),
          ),
        );
        continue;
      }
      const value = node.position === undefined ? undefined : step.inputs[node.position];
      now.set(node, value ? (known.get(value) ?? this.import(value, node, node)) : this.keep(node));
    }
    return new Map(step.outputs.map((value, i) => [value, current(invariant(step.graph.outputs[i], 'an output'))]));
  }

  /** A tensor of the code's own is one node, however many graphs use it. */
  private keep(node: ExternalNode): Node {
    const known = node.tensor && !node.made ? this.held.get(node.tensor) : undefined;
    if (known) return known;
    if (node.tensor && !node.made) this.held.set(node.tensor, node);
    return this.build.keep(node);
  }

  finish(outputs: readonly Node[], values: readonly Value[]): SegmentStep {
    const graph: Graph = { nodes: this.build.nodes, outputs, writes: [] };
    return { kind: 'segment', graph, inputs: this.inputs, outputs: values };
  }
}

function joined(a: SegmentStep, b: SegmentStep): SegmentStep {
  const joint = new Joint();
  const first = joint.add(a);
  const all = new Map([...first, ...joint.add(b, first)]);
  return joint.finish([...all.values()], [...all.keys()]);
}
