/** @file A graph as text, one node a line, numbered from 0 whatever the ids are: for tests, bug reports and the curious. */
import { basename } from 'node:path';
import { formatAttributes } from '../ops/spec.ts';
import { dtypes } from '../tensor/dtype.ts';
import { sameLayout } from '../tensor/layout.ts';
import { isNode, layoutOf, nodeName, type Graph, type Node, type Returned } from './graph.ts';

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
  const view = ({ of, layout }: Returned) => {
    const node = typeof of === 'number' ? graph.outputs[of] : of;
    if (!node || sameLayout(layout, layoutOf(node))) return node ? name(node) : '?';
    return `${name(node)} as [${layout.shape.join()}](${layout.strides.join()})@${layout.offset}`;
  };
  lines.push(`return ${(graph.returned?.map(view) ?? graph.outputs.map(name)).join(', ')}`);
  return lines.join('\n') + '\n';
}
