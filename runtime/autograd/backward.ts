/**
 * @file Gradients. In: results and what they were made from. Out: the gradient of each, by walking the tape from the latest
 * op to the earliest; no recursion, so a chain may be as long as it likes. Gradients are made of ops, so they can be
 * recorded in a trace, and differentiated again with `createGraph`.
 */
import { JitLensError } from '../errors.ts';
import { activeRecorder } from '../ops/recorder.ts';
import { withOverwriteGuard } from '../ops/saved.ts';
import { withGradMode } from '../ops/tape.ts';
import { full } from '../tensor/create.ts';
import { formatShape, sameShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { edgeOf, type Edge, type History } from './tape.ts';

export interface GradOptions {
  /** Records the gradients' own ops, so that they can be differentiated. */
  readonly createGraph?: boolean;
  /** What each output's gradient starts from; 1 when it is left out, for outputs of one number. */
  readonly gradients?: readonly (Tensor | undefined)[];
}

/** Adds the gradient of `output` (a single number unless `gradient` is given) to `.grad` of every leaf it was made from. */
export function backward(output: Tensor, gradient?: Tensor, options: GradOptions = {}): void {
  const leaves = walk([output], [gradient], options);
  for (const leaf of leaves.byLeaf.keys()) refuseOldGradient(leaf);
  for (const [leaf, g] of leaves.byLeaf)
    leaf.grad = leaf.grad ? withGradMode(options.createGraph ?? false, () => leaf.grad?.add(g)) : g;
}

/** A trace would add to the gradient that is there now, at every later call. */
function refuseOldGradient(leaf: Tensor): void {
  if (!leaf.grad || (activeRecorder()?.knows(leaf.grad) ?? true)) return;
  throw new JitLensError(
    'JL605',
    'backward() in a traced function would add to a gradient from before the trace',
    'Clear gradients inside the traced function first: x.grad = undefined, or optimizer.zeroGrad().',
  );
}

/** The gradients of the sum of `outputs` for each of `inputs`; undefined for one that they do not depend on. */
export function grad(outputs: readonly Tensor[], inputs: readonly Tensor[], options: GradOptions = {}): (Tensor | undefined)[] {
  const { byLeaf, byHistory } = walk(outputs, options.gradients ?? [], options);
  return inputs.map((x) => {
    const edge = edgeOf(x);
    return edge?.kind === 'history' ? byHistory.get(edge.history) : byLeaf.get(x);
  });
}

function walk(outputs: readonly Tensor[], gradients: readonly (Tensor | undefined)[], options: GradOptions) {
  const byHistory = new Map<History, Tensor>();
  const byLeaf = new Map<Tensor, Tensor>();
  const flow = (edge: Edge | undefined, g: Tensor | undefined): void => {
    if (!edge || !g) return;
    const fitted = sumTo(g, edge.shape).to(edge.dtype);
    if (edge.kind === 'leaf') byLeaf.set(edge.tensor, byLeaf.get(edge.tensor)?.add(fitted) ?? fitted);
    else byHistory.set(edge.history, byHistory.get(edge.history)?.add(fitted) ?? fitted);
  };
  withGradMode(options.createGraph ?? false, () => {
    outputs.forEach((output, i) => flow(startEdge(output), gradients[i] ?? seed(output)));
    for (const history of latestFirst([...byHistory.keys()])) {
      const g = byHistory.get(history);
      if (!g) continue;
      const gs = withOverwriteGuard(history.saved, history.name, () => history.backward(g));
      history.edges.forEach((edge, i) => flow(edge, gs[i]));
    }
  });
  return { byHistory, byLeaf };
}

function startEdge(output: Tensor): Edge {
  const edge = edgeOf(output);
  if (edge) return edge;
  throw new JitLensError(
    'JLT-GRAD',
    'backward() of a tensor that depends on nothing whose gradient is wanted',
    'Set requiresGrad on what you differentiate for; parameters have it. Inside noGrad nothing is recorded.',
  );
}

function seed(output: Tensor): Tensor {
  if (output.numel === 1) return full(output.shape, 1, { dtype: output.dtype });
  throw new JitLensError(
    'JLT-GRAD',
    `backward() of a tensor of shape ${formatShape(output.shape)}`,
    'Reduce it to one number first, or give the gradient to start from.',
  );
}

/** All that the given histories come from, and they themselves, latest first. */
function latestFirst(from: readonly History[]): History[] {
  const seen = new Set(from);
  const open = [...from];
  for (let next = open.pop(); next; next = open.pop()) {
    for (const edge of next.edges) {
      if (edge?.kind !== 'history' || seen.has(edge.history)) continue;
      seen.add(edge.history);
      open.push(edge.history);
    }
  }
  return [...seen].sort((a, b) => b.id - a.id);
}

/** A gradient summed over the dims in which its tensor was broadcast. */
function sumTo(g: Tensor, shape: Shape): Tensor {
  if (sameShape(g.shape, shape)) return g;
  const skip = g.rank - shape.length;
  const dims = g.shape.flatMap((size, d) => (d < skip || (shape[d - skip] === 1 && size !== 1) ? [d] : []));
  const summed = dims.length > 0 ? g.sum({ dim: dims, keepdim: true }) : g;
  return summed.reshape(shape);
}
