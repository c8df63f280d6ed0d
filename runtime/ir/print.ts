/** @file A graph as text, one node a line, numbered from 0 whatever the ids are: for tests, bug reports and the curious. */
import { basename } from 'node:path';
import { formatAttributes } from '../ops/spec.ts';
import { dtypes } from '../tensor/dtype.ts';
import { isNode, nodeName, type Graph, type Node } from './graph.ts';

export function print(graph: Graph, options: { spans?: boolean } = {}): string {
  const names = new Map<Node, string>();
  const lines = graph.nodes.map((node, i) => {
    names.set(node, `%${i}`);
    const inputs = node.inputs.map((x) => (isNode(x) ? (names.get(x) ?? '?') : String(x))).join(', ');
    const attributes = node.kind === 'op' ? formatAttributes(node.attributes) : node.role;
    const [place] = node.stack;
    const span = options.spans && place ? `  # ${basename(place.file)}:${place.line}` : '';
    const type = `${dtypes[node.meta.dtype].short}[${node.meta.shape.join(',')}]`;
    return `%${i} = ${nodeName(node)}(${inputs})${attributes ? ` {${attributes}}` : ''} : ${type}${span}`;
  });
  const name = (node: Node) => names.get(node) ?? '?';
  for (const { target, value } of graph.writes) lines.push(`write ${name(target)} = ${name(value)}`);
  lines.push(`return ${graph.outputs.map(name).join(', ')}`);
  return lines.join('\n') + '\n';
}
