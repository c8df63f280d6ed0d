/** @file A program as text, one step a line, inner blocks indented; values are numbered from 0 whatever their ids are. */
import { basename } from 'node:path';
import type { Frame } from '../frames.ts';
import { dtypes } from '../tensor/dtype.ts';
import { formatAttributes } from '../ops/spec.ts';
import { isNode, nodeName, type Node } from './graph.ts';
import { isValue, type Argument, type Block, type Program, type SegmentStep, type Step, type Value } from './program.ts';

export function printProgram({ inputs, body }: Program): string {
  const names = new Map<Value, string>();
  const name = (x: Value) => {
    const known = names.get(x) ?? `%${names.size}`;
    names.set(x, known);
    return known;
  };
  const arg = (x: Argument) => (isValue(x) ? name(x) : constant(x.constant));
  const args = (list: readonly Argument[]) => list.map(arg).join(', ');
  const block = ({ steps, yields }: Block, indent: string): string[] => [
    ...steps.flatMap((step) => lines(step, indent)),
    ...(yields.length > 0 ? [`${indent}yield ${args(yields)}`] : []),
  ];
  const lines = (step: Step, indent: string): string[] => {
    switch (step.kind) {
      case 'segment':
        return segment(step, indent, name);
      case 'host':
        return [`${indent}${name(step.output)} = host ${step.name}(${args(step.inputs)})`];
      case 'lift':
        return [`${indent}${name(step.output)} = tensor(${name(step.input)})`];
      case 'read':
        return [`${indent}${name(step.output)} = read ${arg(step.input)}  # waits for the device${placed(step.stack)}`];
      case 'effect':
        return [`${indent}${step.name} ${args(step.inputs)}`];
      case 'if':
        return [
          `${indent}${step.outputs.map(name).join(', ')}${step.outputs.length > 0 ? ' = ' : ''}if ${name(step.condition)}  #${placed(step.stack)}`,
          ...block(step.then, `${indent}  `),
          `${indent}else`,
          ...block(step.otherwise, `${indent}  `),
        ];
      case 'loop': {
        const params = step.params.map((p, i) => `${name(p)} = ${arg(step.initial[i] ?? { constant: undefined })}`);
        const head = [
          step.trips && `${name(step.index)} < ${arg(step.trips)}`,
          step.enter && `while ${arg(step.enter)}`,
          ...params,
        ]
          .filter(Boolean)
          .join(', ');
        const copies = step.copies > 1 ? `, ${step.copies} turns in one` : '';
        return [
          `${indent}${step.outputs.map(name).join(', ')}${step.outputs.length > 0 ? ' = ' : ''}loop (${head})${copies}  #${placed(step.stack)}`,
          ...block(step.body, `${indent}  `),
          ...(step.again ? [`${indent}  again while ${arg(step.again)}`] : []),
        ];
      }
    }
  };
  return [`inputs ${inputs.map(name).join(', ')}`, ...block(body, '')].join('\n') + '\n';
}

function constant(x: unknown): string {
  return typeof x === 'object' && x !== null ? x.constructor.name : String(x);
}

function placed([frame]: readonly Frame[]): string {
  return frame ? ` at ${basename(frame.file)}:${frame.line}` : '';
}

function segment({ graph, inputs, outputs }: SegmentStep, indent: string, name: (x: Value) => string): string[] {
  const local = new Map<Node, string>();
  let count = 0;
  const out = new Map(graph.outputs.map((node, i) => [node, outputs[i]]));
  return graph.nodes.map((node) => {
    const value = node.kind === 'external' && node.position !== undefined ? inputs[node.position] : out.get(node);
    const own = value ? name(value) : `%g${count++}`;
    local.set(node, own);
    const given = node.inputs.map((x) => (isNode(x) ? (local.get(x) ?? '?') : String(x))).join(', ');
    const attributes = node.kind === 'op' ? formatAttributes(node.attributes) : node.role;
    const type = `${dtypes[node.meta.dtype].short}[${node.meta.shape.join(',')}]`;
    return `${indent}  ${own} = ${nodeName(node)}(${given})${attributes ? ` {${attributes}}` : ''} : ${type}`;
  });
}
