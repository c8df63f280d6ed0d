/**
 * @file Recurrent layers and their cells. In: a sequence [time, batch, in], and a state. Out: the state at each time, and the
 * last one. The product of inputs and weights is computed for all times at once; only what needs the state goes step by step.
 */
import { customFunction } from '../autograd/custom.ts';
import { JitLensError } from '../errors.ts';
import { cat, stack } from '../ops/join.ts';
import { zeros } from '../tensor/create.ts';
import { formatShape, sameShape, type Shape } from '../tensor/shape.ts';
import type { Tensor } from '../tensor/tensor.ts';
import { uniformParameter, type BiasOption } from './linear.ts';
import { Module, type Parameter } from './module.ts';

/** `c` is the memory of an LSTM; the other kinds pass it on. */
interface State {
  readonly h: Tensor;
  readonly c: Tensor;
}

/** What distinguishes the kinds: how the products of input and of state, of `gates` parts each, make the next state. */
interface Kind {
  readonly gates: number;
  readonly step: (fromInput: Tensor, fromState: Tensor, state: State) => State;
}

/** Slices whose gradients are joined once, not each written into zeros. */
const times = customFunction({
  name: 'unbind',
  forward: (x: Tensor) => ({ result: x.unbind(0) }),
  backward: (_saved, ...gradients) => [stack(gradients)],
});
const parts = customFunction({
  name: 'chunk',
  forward: (x: Tensor, count: number) => ({ result: x.chunk(count, -1) as [Tensor, Tensor, Tensor, Tensor] }),
  backward: (_saved, ...gradients) => [cat(gradients, -1)],
});

const elman = (activation: (x: Tensor) => Tensor): Kind => ({
  gates: 1,
  step: (a, b, { c }) => ({ h: activation(a.add(b)), c }),
});

const KINDS = {
  tanh: elman((x) => x.tanh()),
  relu: elman((x) => x.relu()),
  /** i, f, o = σ; c' = f · c + i · tanh(g); h' = o · tanh(c'); in the order i, f, g, o. */
  lstm: {
    gates: 4,
    step: (a, b, { c }) => {
      const [i, f, g, o] = parts(a.add(b), 4);
      const next = f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh()));
      return { h: o.sigmoid().mul(next.tanh()), c: next };
    },
  },
  /** r, z = σ; n = tanh(aₙ + r · bₙ); h' = (1 − z) · n + z · h; in the order r, z, n. */
  gru: {
    gates: 3,
    step: (a, b, { h, c }) => {
      const [[ar, az, an], [br, bz, bn]] = [parts(a, 3), parts(b, 3)];
      const z = az.add(bz).sigmoid();
      const n = an.add(ar.add(br).sigmoid().mul(bn)).tanh();
      return { h: n.add(z.mul(h.sub(n))), c };
    },
  },
} as const satisfies Record<string, Kind>;

interface Weights {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | undefined;
  readonly biasHh: Parameter | undefined;
}

/** All start uniform on ±1/√hidden. */
function weights(kind: Kind, inputs: number, hidden: number, bias: boolean): Weights {
  const make = (...shape: number[]) => uniformParameter(shape, 1 / Math.sqrt(hidden));
  const rows = kind.gates * hidden;
  const [weightIh, weightHh] = [make(rows, inputs), make(rows, hidden)];
  return { weightIh, weightHh, biasIh: bias ? make(rows) : undefined, biasHh: bias ? make(rows) : undefined };
}

function wrongShape(name: string, what: string, x: Tensor, wanted: string): JitLensError {
  return new JitLensError('JL410', `${name}: ${what} of shape ${formatShape(x.shape)}`, `It has shape ${wanted}.`);
}

/** A state as it came, checked, or one of zeros. */
function startOf(name: string, given: Tensor | undefined, shape: Shape, x: Tensor): Tensor {
  if (!given) return zeros(shape, { dtype: x.dtype });
  if (sameShape(given.shape, shape)) return given;
  throw wrongShape(name, 'a state', given, formatShape(shape));
}

abstract class Cell extends Module implements Weights {
  readonly weightIh: Parameter;
  readonly weightHh: Parameter;
  readonly biasIh: Parameter | undefined;
  readonly biasHh: Parameter | undefined;
  readonly #kind: Kind;

  constructor(
    kind: Kind,
    readonly inputSize: number,
    readonly hiddenSize: number,
    { bias = true }: BiasOption = {},
  ) {
    super();
    this.#kind = kind;
    const made = weights(kind, inputSize, hiddenSize, bias);
    [this.weightIh, this.weightHh, this.biasIh, this.biasHh] = [made.weightIh, made.weightHh, made.biasIh, made.biasHh];
  }

  protected next(x: Tensor, h: Tensor | undefined, c?: Tensor): State {
    const { name } = this.constructor;
    if (x.rank < 1 || x.rank > 2 || x.size(-1) !== this.inputSize) {
      throw wrongShape(name, 'an input', x, `[batch, ${this.inputSize}], or without the batch`);
    }
    const shape = [...x.shape.slice(0, -1), this.hiddenSize];
    const before = startOf(name, h, shape, x);
    const state = { h: before, c: c || this.#kind === KINDS.lstm ? startOf(name, c, shape, x) : before };
    return this.#kind.step(x.linear(this.weightIh, this.biasIh), before.linear(this.weightHh, this.biasHh), state);
  }
}

export interface RNNOptions extends BiasOption {
  /** Default tanh. */
  readonly nonlinearity?: 'tanh' | 'relu';
}

/** h' = tanh(weightIh · x + biasIh + weightHh · h + biasHh): [batch, in] → [batch, hidden]. */
export class RNNCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: RNNOptions = {}) {
    super(KINDS[options.nonlinearity ?? 'tanh'], inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.next(x, h).h;
  }
}

/** One step of an LSTM: x [batch, in] and a state [h, c] of [batch, hidden] each give the next state. Gates: i, f, g, o. */
export class LSTMCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOption = {}) {
    super(KINDS.lstm, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [h: Tensor, c: Tensor] {
    const { h, c } = this.next(x, state?.[0], state?.[1]);
    return [h, c];
  }
}

/** One step of a GRU: [batch, in] → [batch, hidden]. Gates: r, z, n. */
export class GRUCell extends Cell {
  constructor(inputSize: number, hiddenSize: number, options: BiasOption = {}) {
    super(KINDS.gru, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h?: Tensor): Tensor {
    return this.next(x, h).h;
  }
}

export interface RecurrentOptions extends BiasOption {
  /** Layers, each on the output of the one before. Default 1. */
  readonly numLayers?: number;
  /** Sequences come and go as [batch, time, …]. Default false. */
  readonly batchFirst?: boolean;
  /** Dropout on the output of every layer but the last. Default 0. */
  readonly dropout?: number;
  /** A second set of weights reads the sequence backwards; outputs are joined. Default false. */
  readonly bidirectional?: boolean;
}

/** Its weights are fields named by layer and direction: `weightIhL0`, `biasHhL1Reverse`. */
abstract class Recurrent extends Module {
  readonly #kind: Kind;
  readonly #directions: readonly string[];
  readonly numLayers: number;

  constructor(
    kind: Kind,
    readonly inputSize: number,
    readonly hiddenSize: number,
    readonly options: RecurrentOptions = {},
  ) {
    super();
    const { numLayers = 1, bidirectional = false, bias = true } = options;
    this.#kind = kind;
    this.#directions = bidirectional ? ['', 'Reverse'] : [''];
    this.numLayers = numLayers;
    for (let layer = 0; layer < numLayers; layer++) {
      const inputs = layer === 0 ? inputSize : hiddenSize * this.#directions.length;
      for (const direction of this.#directions) {
        const made = Object.entries(weights(kind, inputs, hiddenSize, bias));
        for (const [name, parameter] of made) Reflect.set(this, `${name}L${layer}${direction}`, parameter);
      }
    }
  }

  protected run(x: Tensor, h0: Tensor | undefined, c0?: Tensor) {
    const { batchFirst = false, dropout = 0 } = this.options;
    const { name } = this.constructor;
    if (x.rank < 2 || x.rank > 3 || x.size(-1) !== this.inputSize || x.numel === 0) {
      const sizes = batchFirst ? 'batch, time' : 'time, batch';
      throw wrongShape(name, 'an input', x, `[${sizes}, ${this.inputSize}] with at least one step, or without the batch`);
    }
    const batched = x.rank === 3;
    let sequence = !batched ? x.unsqueeze(1) : batchFirst ? x.transpose(0, 1) : x;
    const rows = this.numLayers * this.#directions.length;
    const shape = batched ? [rows, sequence.size(1), this.hiddenSize] : [rows, this.hiddenSize];
    const start = (given: Tensor | undefined) =>
      times(startOf(name, given, shape, x).reshape([rows, sequence.size(1), this.hiddenSize]));
    const hs = start(h0);
    const cs = c0 || this.#kind === KINDS.lstm ? start(c0) : hs;
    const last: State[] = [];
    for (let layer = 0; layer < this.numLayers; layer++) {
      const read = this.#directions.map((direction, d) => {
        const at = layer * this.#directions.length + d;
        const [h, c] = [hs[at], cs[at]];
        if (!h || !c) throw wrongShape(name, 'a state', x, formatShape(shape));
        const { states, end } = this.read(sequence, { h, c }, `L${layer}${direction}`, d === 1);
        last.push(end);
        return stack(states);
      });
      sequence = cat(read, -1);
      if (layer < this.numLayers - 1) sequence = sequence.dropout(dropout, this.training);
    }
    const output = !batched ? sequence.squeeze(1) : batchFirst ? sequence.transpose(0, 1) : sequence;
    return { output, end: (which: keyof State) => stack(last.map((state) => state[which])).view(shape) };
  }

  /** One layer in one direction: the output at each time, and the state at the end. */
  private read(sequence: Tensor, start: State, suffix: string, backwards: boolean): { states: Tensor[]; end: State } {
    const weight = (name: keyof Weights) => Reflect.get(this, `${name}${suffix}`) as Parameter;
    const [weightHh, biasHh] = [weight('weightHh'), weight('biasHh')];
    const fromInput = times(sequence.linear(weight('weightIh'), weight('biasIh')));
    let state = start;
    const states = (backwards ? fromInput.reverse() : fromInput).map((x) => {
      state = this.#kind.step(x, state.h.linear(weightHh, biasHh), state);
      return state.h;
    });
    return { states: backwards ? states.reverse() : states, end: state };
  }
}

/** h' = tanh(weightIh · x + biasIh + weightHh · h + biasHh) at each time: x [time, batch, in] → [output, last h]. */
export class RNN extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions & RNNOptions = {}) {
    super(KINDS[options.nonlinearity ?? 'tanh'], inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h0?: Tensor): [output: Tensor, h: Tensor] {
    const { output, end } = this.run(x, h0);
    return [output, end('h')];
  }
}

/** An LSTM: x [time, batch, in] and a state [h, c] of [layers · directions, batch, hidden] each → [output, [h, c]]. */
export class LSTM extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(KINDS.lstm, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, state?: readonly [h: Tensor, c: Tensor]): [output: Tensor, state: [h: Tensor, c: Tensor]] {
    const { output, end } = this.run(x, state?.[0], state?.[1]);
    return [output, [end('h'), end('c')]];
  }
}

/** A GRU: x [time, batch, in] and a state [layers · directions, batch, hidden] → [output, last state]. */
export class GRU extends Recurrent {
  constructor(inputSize: number, hiddenSize: number, options: RecurrentOptions = {}) {
    super(KINDS.gru, inputSize, hiddenSize, options);
  }

  forward(x: Tensor, h0?: Tensor): [output: Tensor, h: Tensor] {
    const { output, end } = this.run(x, h0);
    return [output, end('h')];
  }
}
