/**
 * @file One trace, frozen. In: a trace and its graph over copies of the tensors that the code holds. Out: what runs it; gradients of
 * the arguments go back through the code itself, as long as that still holds what was copied.
 */
import { invariant, JitLensError } from '../errors.ts';
import type { ExternalNode, Graph, Node } from '../ir/graph.ts';
import { stack } from '../ops/join.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { gradMode, noGrad } from '../ops/tape.ts';
import { strided } from '../ops/write.ts';
import { scaleProducts } from '../passes/scale-products.ts';
import { currentBackend, type Backend } from '../tensor/backend.ts';
import { isFloat } from '../tensor/dtype.ts';
import type { Layout } from '../tensor/layout.ts';
import { outsideScopes, scoped } from '../tensor/scope.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { beforeCall, letGradientsThrough, runAgain } from './differentiate.ts';
import { executable, type Executable } from './execute.ts';
import type { Signature } from './guard.ts';
import { interpret } from './interpret.ts';
import type { AnyFunction, Compiled } from './trace.ts';
import type { Tree } from './tree.ts';

export class FrozenTrace {
  private made: Executable | undefined;
  private readonly backend: Backend;
  /** The versions that the tensors had that were copied. */
  private readonly versions: readonly number[];

  constructor(
    private readonly traced: Compiled,
    private readonly recorded: Graph,
    private readonly fn: AnyFunction,
  ) {
    const { held } = traced.flow;
    this.versions = held.map((x) => x.storage.version);
    this.backend = held[0]?.storage.backend ?? currentBackend();
  }

  get signature(): Signature {
    return this.traced.signature;
  }

  /** As a trace that is like any other. */
  get compiled(): Compiled {
    const made = this.ready();
    return { ...this.traced, ...made, recorded: this.recorded, plans: () => (made.plan ? [made.plan] : []) };
  }

  /** Compiles it, and computes what depends on the copies alone. */
  async prepare(): Promise<void> {
    const usual = executable(this.recorded, this.backend);
    // A scale that leaves the range of numbers stays where it is.
    const made = (await areOrdinary(computedIn(usual.graph, this.recorded)))
      ? usual
      : executable(this.recorded, this.backend, [scaleProducts.name]);
    const used = new Set(made.graph.nodes);
    for (const node of this.recorded.nodes) if (isFrozen(node) && !node.made && !used.has(node)) node.tensor?.dispose();
    this.made = made;
  }

  call(call: Tree): unknown {
    const { outputs, flow } = this.traced;
    const made = this.ready();
    if (activeRecorder()) return outputs.rebuild(this.recordedInto(call));
    if (call.tensors.some((x) => x.storage.backend !== this.backend)) {
      throw new JitLensError(
        'JLT-DEVICE',
        `a function that was frozen on ${this.backend.info.name} is called on another device`,
        'Make its arguments there.',
      );
    }
    const open = { ...flow, held: [] };
    const before = beforeCall(open, call);
    const results = made.run(call.tensors);
    if (gradMode())
      letGradientsThrough(
        call,
        open,
        results,
        runAgain((...args) => this.again(args), call, open, before),
      );
    return outputs.rebuild(results);
  }

  /** Its ops become part of the trace around. */
  private recordedInto({ tensors }: Tree): Tensor[] {
    if (gradMode() && tensors.some((x) => x.requiresGrad)) {
      throw new JitLensError(
        'JLT-GRAD',
        'a frozen function lets no gradient through inside of a trace',
        'Call it in noGrad(), or call the traced function.',
      );
    }
    return interpret(this.ready().graph, tensors, recordedView);
  }

  /** The code with what it holds now, if that is what was copied. */
  private again(args: never[]): unknown {
    const { flow, held } = this.traced;
    const change = held.change();
    if (change || flow.held.some((x, i) => x.storage.version !== this.versions[i])) {
      throw new JitLensError(
        'JLT-GRAD',
        `the gradient of a frozen function runs its code again, which is not as it was frozen: ${change?.guard ?? 'what it holds was written'}`,
        'Freeze it anew, or call backward() before changing it.',
      );
    }
    return this.fn(...args);
  }

  private ready(): Executable {
    return invariant(this.made, 'a frozen trace is prepared');
  }
}

/** As an op, which the trace around hears. */
function recordedView(x: Tensor, layout: Layout): Tensor {
  if (x.isContiguous()) return strided(x, { ...layout, offset: layout.offset - x.layout.offset });
  throw new JitLensError(
    'JLT-FREEZE',
    'a frozen function gives, inside of a trace, a view of an argument that is not row-major',
    'Call contiguous() on the argument.',
  );
}

const isFrozen = (node: Node): node is ExternalNode => node.kind === 'external' && node.frozen === true;

/** Tensors that passes made of frozen ones. */
function computedIn(graph: Graph, recorded: Graph): Tensor[] {
  const known = new Set(recorded.nodes);
  return graph.nodes.flatMap((node) => (isFrozen(node) && !known.has(node) && node.tensor ? [node.tensor] : []));
}

/** Smaller ones but 0 are close to where a scaled factor loses its digits. */
const LEAST = 2 ** -100;

async function areOrdinary(tensors: readonly Tensor[]): Promise<boolean> {
  const floats = tensors.filter((x) => isFloat(x.dtype));
  if (floats.length === 0) return true;
  const all = () =>
    noGrad(() =>
      stack(
        floats.map((x) =>
          x
            .isfinite()
            .logicalAnd(x.eq(0).logicalOr(x.abs().ge(LEAST)))
            .all(),
        ),
      ).all(),
    );
  return (await outsideScopes(() => scoped(all, (x) => [x.storage])).item()) !== 0;
}
