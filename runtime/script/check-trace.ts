/**
 * @file `jit.checkTrace`: what a trace takes for granted, as diagnostics. In: what would be traced, and example inputs. Out: JL601 for
 * values that are read, JL603 for captured tensors, JL604 and JL606 for what is guarded, JL611 where another recording goes another
 * way, JL612 for arms that were not taken. Its ops are only
 * looked at; side effects of its own happen several times.
 */
import { JitLensError } from '../errors.ts';
import type { Frame } from '../frames.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { nodeName } from '../ir/graph.ts';
import { record, type AnyFunction } from '../jit/trace.ts';
import { flattenTree, type Tree } from '../jit/tree.ts';
import { Module } from '../nn/module.ts';
import { isGenerator } from '../ops/random.ts';
import { isOptimizerState } from '../optim/optimizer.ts';
import { contiguous } from '../tensor/layout.ts';
import { formatShape, type Shape } from '../tensor/shape.ts';
import { Tensor } from '../tensor/tensor.ts';
import { AbstractBackend } from '../device/abstract.ts';
import { closureOfFunction, closureOfMethod } from './compile/code.ts';
import { whatDidNotRun, type Unrun } from './coverage.ts';
import type { Diagnostic, Related, Severity } from '../profile/diagnostic.ts';
import { isConstant } from './marks.ts';
import { ts, type TS } from './typescript.ts';
import { unsuppressed } from './suppress.ts';
import { sourceTree, untakenArms } from './untaken.ts';
import { otherSizes } from './fresh.ts';

/**
 * Looks at the code without running its ops. Errors: those of `jit.trace`. Arms that are not taken (JL612) are known of functions
 * that run here for the first time.
 */
export function checkTrace(target: AnyFunction | Module, inputs: readonly unknown[]): Diagnostic[] {
  return takenForGranted(target, inputs);
}

/** What no comment suppresses. `known` is what did not run in a call that was watched before. */
export function takenForGranted(
  target: AnyFunction | Module,
  inputs: readonly unknown[],
  known?: readonly Unrun[],
): Diagnostic[] {
  return unsuppressed(findings(target, inputs, known), sourceTree);
}

function findings(target: AnyFunction | Module, inputs: readonly unknown[], known: readonly Unrun[] | undefined): Diagnostic[] {
  const example = flattenTree(inputs, 'inputs');
  const subject = new Subject(target);
  try {
    const { result: recording, unrun } = known
      ? { result: subject.record(example), unrun: known }
      : whatDidNotRun(() => subject.record(example));
    return [
      ...captured(recording.recorded),
      ...guarded(recording, example),
      ...subject.divergence(recording, example),
      ...untakenArms(unrun),
    ];
  } catch (error) {
    const reads = error instanceof JitLensError && error.code === 'JL610' ? readsOf(target) : [];
    if (reads.length === 0) throw error;
    return reads;
  }
}

type Recording = ReturnType<typeof record>;

/** Keeps what the code leaves on its parameters as it was. */
class Subject {
  private readonly device = new AbstractBackend();
  private readonly module: Module | undefined;
  private readonly fn: AnyFunction;

  constructor(target: AnyFunction | Module) {
    this.module = target instanceof Module ? target : undefined;
    this.fn = target instanceof Module ? (...args: never[]) => target.forward(...args) : target;
  }

  record(args: Tree, shapes: readonly Shape[] = args.tensors.map((x) => x.shape)): Recording {
    const tensors = args.tensors.map((x, i) => {
      const shape = shapes[i] ?? x.shape;
      return new Tensor(this.device.allocate(x.dtype, shape), contiguous(shape)).requiresGrad_(x.requiresGrad);
    });
    const recording = record(this.fn, this.module, { ...args, tensors }, this.device);
    // A gradient without elements must not stay.
    for (const { tensor } of recording.left) tensor?.leaveGrad(undefined);
    return recording;
  }

  /** Recorded once more, and at other sizes: where the graphs part. */
  divergence({ recorded }: Recording, example: Tree): Diagnostic[] {
    const shapes = example.tensors.map((x) => x.shape);
    for (const [i, sizes] of [shapes, ...otherSizes(example)].entries()) {
      const part = this.parting(recorded, example, sizes, i === 0);
      const how = i === 0 ? 'recorded once more' : `recorded for ${sizes.map(formatShape).join(' ')}`;
      if (part) return [diverged(part, how, i === 0 ? 'warning' : 'hint')];
    }
    return [];
  }

  private parting(recorded: Graph, example: Tree, sizes: readonly Shape[], same: boolean): Parting | undefined {
    try {
      return firstOther(recorded, this.record(example, sizes).recorded);
    } catch (error) {
      // Sizes that the code itself refuses.
      if (same || !(error instanceof JitLensError)) throw error;
      return undefined;
    }
  }
}

interface Parting {
  readonly was?: Node;
  readonly is?: Node;
}

function firstOther(a: Graph, b: Graph): Parting | undefined {
  const ops = (graph: Graph) => graph.nodes.filter((node) => node.kind === 'op');
  const [was, is] = [ops(a), ops(b)];
  const at = Array.from({ length: Math.max(was.length, is.length) }).findIndex((_, i) => was[i]?.op.name !== is[i]?.op.name);
  return at < 0 ? undefined : { was: was[at], is: is[at] };
}

function diverged({ was, is }: Parting, how: string, severity: Severity): Diagnostic {
  const name = (node: Node | undefined) => (node ? `‘${nodeName(node)}’` : 'the end');
  const related = is?.stack[0] ? [{ message: `${name(is)}, ${how}`, range: rangeAt(is.stack[0]) }] : [];
  return diagnostic(
    'JL611',
    severity,
    `${how}, the code does ${name(is)} where it did ${name(was)}`,
    (was ?? is)?.stack[0],
    related,
  );
}

/** Tensors that the code holds and nobody registered: they are part of the trace as they are. */
function captured(recorded: Graph): Diagnostic[] {
  const isCaptured = (node: Node): node is ExternalNode =>
    node.kind === 'external' && node.role === 'constant' && !node.made && /^captured\d+$/.test(node.name);
  return recorded.nodes
    .filter(isCaptured)
    .filter(({ tensor }) => tensor && !isGenerator(tensor) && !isOptimizerState(tensor) && !isConstant(tensor))
    .map((node) =>
      diagnostic(
        'JL603',
        'warning',
        `a tensor of shape ${formatShape(node.meta.shape)} from outside is part of the trace: another one in its place is not seen`,
        node.stack[0],
      ),
    );
}

/** What a call must share with the recorded one; another value is recorded anew. */
function guarded({ recorded, recorder: { modes } }: Recording, example: Tree): Diagnostic[] {
  const first = recorded.nodes.find((node) => node.kind === 'op')?.stack.at(-1);
  const plain = example.form.split(' ').filter((part) => /^(-?\d|true|false|")/.test(part));
  return [
    ...plain.map((value) =>
      diagnostic('JL604', 'hint', `the argument ${value} is part of the trace; a call with another value records anew`, first),
    ),
    ...[...modes].map(([module, { training, place }]) =>
      diagnostic(
        'JL606',
        'hint',
        `traced ${training ? 'for training' : 'for use'}: ${module.constructor.name} records anew in the other mode`,
        place ?? first,
      ),
    ),
  ];
}

function diagnostic(
  code: string,
  severity: Severity,
  message: string,
  at: Frame | undefined,
  related: readonly Related[] = [],
): Diagnostic {
  return { code, severity, message, range: rangeAt(at ?? { file: '', line: 1, column: 1 }), related, fixes: [] };
}

function rangeAt({ file, line, column }: Frame): Diagnostic['range'] {
  return { file, start: { line, column }, end: { line, column: column + 1 } };
}

/** Every place where the code reads a tensor, for code that a trace refuses because it waits. */
function readsOf(target: AnyFunction | Module): Diagnostic[] {
  const closure = target instanceof Module ? closureOfMethod(target, target.forward) : closureOfFunction(target);
  if (!closure) return [];
  const { tree, file } = closure.source;
  const found: Diagnostic[] = [];
  const visit = (node: TS.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression) && READS.has(node.expression.name.text)) {
      const { name } = node.expression;
      const place = (at: number) => {
        const { line, character } = tree.getLineAndCharacterOfPosition(at);
        return { line: line + 1, column: character + 1 };
      };
      found.push({
        code: 'JL601',
        severity: 'warning',
        message: `‘${name.text}’ reads a value: a trace cannot wait for it, and would keep the one it saw`,
        range: { file, start: place(node.expression.expression.getStart(tree)), end: place(node.end) },
        related: [],
        fixes: [],
      });
    }
    ts.forEachChild(node, visit);
  };
  visit(closure.node);
  return found;
}

const READS: ReadonlySet<string> = new Set(['item', 'data']);
