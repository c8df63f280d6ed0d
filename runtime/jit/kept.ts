/**
 * @file Choices that earlier processes made. In: an optimised graph, the device, the passes that were left out. Out: what was
 * chosen for the same before, or a place to keep it. The name of a file says all that its contents depend on.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { keep, keptFolder, readKept, sizeOf, trim } from '../cache.ts';
import { codeHash } from '../code-hash.ts';
import type { Gpu } from '../device/gpu.ts';
import { isNode, type Graph, type Node } from '../ir/graph.ts';
import type { Chosen } from './choose.ts';
import { decode, encode } from './stored.ts';

const KIND = 'plans';
const MOST_BYTES = 256 * 1024 * 1024;
/** Files that are written before the folder is looked through again. */
const BETWEEN_TRIMS = 64;

let written = 0;

/** How many plans are kept where; undefined where none are. */
export function keptPlans(): { readonly folder: string; readonly files: number; readonly bytes: number } | undefined {
  const folder = keptFolder(KIND);
  return folder === undefined ? undefined : { folder, ...sizeOf(folder) };
}

export class KeptPlan {
  private constructor(
    private readonly folder: string,
    private readonly name: string,
    private readonly graph: Graph,
  ) {}

  /** Undefined where nothing is kept. */
  static of(graph: Graph, gpu: Gpu, without: readonly string[] = [], version = codeHash): KeptPlan | undefined {
    const folder = keptFolder(KIND);
    const code = folder === undefined ? undefined : version();
    if (folder === undefined || code === undefined) return undefined;
    const all = [code, process.versions.v8, gpu.info, gpu.target, limitsOf(gpu), without, described(graph)];
    return new KeptPlan(folder, sha256(JSON.stringify(all, exactly)), graph);
  }

  /** What was chosen before; undefined where that is not known, or what is kept is broken. */
  read(): Chosen | undefined {
    const data = readKept(this.file);
    if (!data) return undefined;
    const end = data.indexOf('\n');
    const body = data.subarray(end + 1);
    if (end < 0 || data.toString('latin1', 0, end) !== this.head(body)) return undefined;
    try {
      return decode(body.toString(), this.graph);
    } catch {
      return undefined;
    }
  }

  /** Keeps it when the code that calls waits for something. */
  write(chosen: Chosen): void {
    setImmediate(() => {
      const body = Buffer.from(encode(chosen));
      const isKept = keep(this.file, Buffer.concat([Buffer.from(`${this.head(body)}\n`), body]));
      if (isKept && written++ % BETWEEN_TRIMS === 0) trim(this.folder, MOST_BYTES);
    });
  }

  private get file(): string {
    return join(this.folder, this.name);
  }

  /** The first line: a file that was cut off, changed or renamed has another. */
  private head(body: Buffer): string {
    return `jitlens plan ${this.name} ${sha256(body)}`;
  }
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex');
}

/** The properties of limits are their prototype's, which JSON does not see. */
function limitsOf({ device: { limits } }: Gpu): unknown {
  const all: unknown[] = [];
  for (const name in limits) all.push([name, limits[name as keyof GPUSupportedLimits]]);
  return all;
}

/** JSON has no −0, infinities and NaN of its own, and plans differ by them. */
function exactly(_key: string, value: unknown): unknown {
  const lost = typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0));
  return lost ? { number: Object.is(value, -0) ? '-0' : String(value) } : value;
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
