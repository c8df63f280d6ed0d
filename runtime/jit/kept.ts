/**
 * @file Choices that earlier processes made. In: an optimised graph, the device, the passes that were left out. Out: what was
 * chosen for the same before, or a place to keep it. The name of a file says all that its contents depend on.
 */
import { codeHash } from '../code-hash.ts';
import type { Gpu } from '../device/gpu.ts';
import { isNode, type Graph, type Node } from '../ir/graph.ts';
import { KeptText } from '../kept-text.ts';
import type { Chosen } from './choose.ts';
import { decode, encode } from './stored.ts';

export class KeptPlan {
  private constructor(
    private readonly text: KeptText,
    private readonly graph: Graph,
  ) {}

  /** Undefined where nothing is kept. */
  static of(graph: Graph, gpu: Gpu, without: readonly string[] = [], version = codeHash): KeptPlan | undefined {
    const { info, target, compares } = gpu;
    const text = KeptText.of('plans', () => {
      const code = version();
      return code && [code, process.versions.v8, info, target, compares, limitsOf(gpu), without, described(graph)];
    });
    return text && new KeptPlan(text, graph);
  }

  /** What was chosen before; undefined where that is not known, or what is kept is broken. */
  read(): Chosen | undefined {
    const text = this.text.read();
    if (text === undefined) return undefined;
    try {
      return decode(text, this.graph);
    } catch {
      return undefined;
    }
  }

  /** Keeps it when the code that calls waits for something. */
  write(chosen: Chosen): void {
    this.text.write(() => encode(chosen));
  }
}

/** The properties of limits are their prototype's, which JSON does not see. */
function limitsOf({ device: { limits } }: Gpu): unknown {
  const all: unknown[] = [];
  for (const name in limits) all.push([name, limits[name as keyof GPUSupportedLimits]]);
  return all;
}

/** All of a graph that a plan depends on; names, ids and lines of code are not. */
function described({ nodes, outputs, returned, writes }: Graph): unknown {
  const places = new Map<Node, number>(nodes.map((node, i) => [node, i]));
  const storages = new Map<number, number>();
  const place = (node: Node) => places.get(node);
  return [
    nodes.map((node) => {
      const { dtype, shape } = node.meta;
      if (node.kind === 'external') {
        const storage = storages.get(node.storage) ?? storages.size;
        storages.set(node.storage, storage);
        return [dtype, shape, node.layout, storage, node.role];
      }
      return [dtype, shape, node.op.name, node.inputs.map((x) => (isNode(x) ? [place(x)] : x)), node.attributes];
    }),
    outputs.map(place),
    returned?.map(({ of, layout }) => [typeof of === 'number' ? of : [place(of)], layout]),
    writes.map(({ target, value }) => [place(target), place(value)]),
  ];
}
