/**
 * @file Branches without waiting. In: a program. Out: the same, where an `if` on a value that is read, with two cheap arms that only
 * compute, has become a choice between both results on the device.
 */
import { invariant } from '../../errors.ts';
import { isNode, type Node, type NodeInput } from '../../ir/graph.ts';
import {
  isValue,
  type Argument,
  type Block,
  type HostStep,
  type IfStep,
  type Program,
  type ReadStep,
  type SegmentStep,
  type Step,
  type Value,
} from '../../ir/program.ts';
import { eq, ge, gt, le, logicalAnd, lt, ne } from '../../ops/compare.ts';
import { logicalNot } from '../../ops/unary.ts';
import { Joint } from './join.ts';
import type { OpSpec } from '../../ops/spec.ts';
import { where } from '../../ops/ternary.ts';
import { contiguous, sameLayout } from '../../tensor/layout.ts';

/** Both arms are computed, so they must cost less than waiting for the device would. */
const MOST_OPS = 16;

const ON_DEVICE: Readonly<Record<string, OpSpec | undefined>> = {
  '<': lt.entry.spec,
  '<=': le.entry.spec,
  '>': gt.entry.spec,
  '>=': ge.entry.spec,
  '===': eq.entry.spec,
  '!==': ne.entry.spec,
  '!': logicalNot.entry.spec,
  and: logicalAnd.entry.spec,
};

export function select(program: Program): Program {
  return { ...program, body: inBlock(program.body, new Map(), new Set(program.body.yields.filter(isValue))) };
}

type Makers = Map<Value, HostStep | ReadStep>;

function inBlock(block: Block, makers: Makers, returned: ReadonlySet<Value>): Block {
  const steps: Step[] = [];
  for (const step of block.steps) {
    if (step.kind === 'host' || step.kind === 'read') makers.set(step.output, step);
    if (step.kind === 'if') {
      const inner = { ...step, then: inBlock(step.then, makers, returned), otherwise: inBlock(step.otherwise, makers, returned) };
      steps.push(chosen(inner, makers, returned) ?? inner);
    } else if (step.kind === 'loop') steps.push({ ...step, body: inBlock(step.body, makers, returned) });
    else steps.push(step);
  }
  return { ...block, steps };
}

/** The branch as one graph. */
function chosen(step: IfStep, makers: Makers, returned: ReadonlySet<Value>): SegmentStep | undefined {
  const arms = [graphOf(step.then), graphOf(step.otherwise)] as const;
  const [then, otherwise] = arms;
  if (!then || !otherwise || step.outputs.length === 0) return undefined;
  const build = new Joint();
  const c = predicate(build, step.condition, makers, step);
  if (c === undefined) return undefined;
  const [a, b] = [build.add(then), build.add(otherwise)];
  const results: Node[] = [];
  for (const [i, out] of step.outputs.entries()) {
    const [x, y] = [step.then.yields[i], step.otherwise.yields[i]];
    if (!x || !y || !isValue(x) || !isValue(y) || !out.meta || !out.layout || !sameLayout(out.layout, contiguous(out.meta.shape)))
      return undefined;
    // A result that is one of two tensors that were there before is that tensor, not a copy.
    if (returned.has(out) && (!then.outputs.includes(x) || !otherwise.outputs.includes(y))) return undefined;
    results.push(build.op(whereSpec(), [c, a.get(x) ?? build.import(x, step), b.get(y) ?? build.import(y, step)], step));
  }
  return build.finish(results, step.outputs);
}

function whereSpec(): OpSpec {
  return invariant(where.entry.spec, 'where has a kernel');
}

/** An arm that is nothing but a few cheap ops. */
function graphOf(block: Block): SegmentStep | undefined {
  const [first, ...more] = block.steps;
  if (!first) return { kind: 'segment', graph: { nodes: [], outputs: [], writes: [] }, inputs: [], outputs: [] };
  if (more.length > 0 || first.kind !== 'segment') return undefined;
  const ops = first.graph.nodes.filter((node) => node.kind === 'op');
  const cheap = ops.every(
    ({ op }) => !op.inPlace && (op.kind === 'elementwise' || op.kind === 'create' || (op.kind === 'move' && op.view)),
  );
  return cheap && ops.length <= MOST_OPS ? first : undefined;
}

/** The condition on the device, if it says there just what it says on the host. */
function predicate(build: Joint, x: Argument, makers: Makers, at: IfStep): Node | undefined {
  const value = operand(build, x, makers, at);
  return isNode(value) ? value : undefined;
}

function operand(build: Joint, x: Argument, makers: Makers, at: IfStep): NodeInput | undefined {
  if (!isValue(x)) {
    // The device compares in 32 bits.
    return typeof x.constant === 'number' && Object.is(Math.fround(x.constant), x.constant) ? x.constant : undefined;
  }
  const maker = makers.get(x);
  if (maker?.kind === 'read') {
    const { input } = maker;
    if (!isValue(input) || input.meta?.dtype !== 'float32' || input.meta.shape.length > 0) return undefined;
    return build.import(input, at);
  }
  const spec = maker && ON_DEVICE[maker.name];
  if (!maker || !spec) return undefined;
  const inputs = maker.inputs.map((input) => operand(build, input, makers, at));
  const known = inputs.filter((input) => input !== undefined);
  if (known.length < inputs.length || !known.some(isNode)) return undefined;
  const [first, second] = known;
  // Ops take a tensor first.
  if (typeof first === 'number' && isNode(second)) {
    const turned = TURNED[maker.name];
    return turned ? build.op(invariant(ON_DEVICE[turned], 'it is there'), [second, first], at) : undefined;
  }
  return build.op(spec, known, at);
}

const TURNED: Readonly<Record<string, string>> = { '<': '>', '<=': '>=', '>': '<', '>=': '<=', '===': '===', '!==': '!==' };
