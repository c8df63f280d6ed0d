/**
 * A recurrent layer written by hand: the cell is a few lines, and the layer calls it once for each step in time. Traced, the
 * loop is gone: all steps are one graph, and what follows a product of matrices is one kernel with it.
 */
import { jit, nn, randn, stack, zeros, type Tensor } from 'jitlens';

type State = readonly [h: Tensor, c: Tensor];

const weight = (...shape: number[]) => new nn.Parameter(randn(shape).mul(0.1));

/** Input, forget, cell and output gates, side by side. */
function gated(gates: Tensor, c: Tensor, norm = (x: Tensor) => x): State {
  const [i, f, g, o] = gates.chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const next = norm(f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh())));
  return [o.sigmoid().mul(next.tanh()), next];
}

export class LSTMCell extends nn.Module {
  readonly weightIh: nn.Parameter;
  readonly weightHh: nn.Parameter;
  readonly biasIh: nn.Parameter;
  readonly biasHh: nn.Parameter;

  constructor(inputs: number, hidden: number) {
    super();
    this.weightIh = weight(4 * hidden, inputs);
    this.weightHh = weight(4 * hidden, hidden);
    this.biasIh = weight(4 * hidden);
    this.biasHh = weight(4 * hidden);
  }

  forward(x: Tensor, [h, c]: State): State {
    return gated(x.linear(this.weightIh, this.biasIh).add(h.linear(this.weightHh, this.biasHh)), c);
  }
}

/** Normalises both products and the memory, so that long sequences stay in range. */
export class LayerNormLSTMCell extends nn.Module {
  readonly weightIh: nn.Parameter;
  readonly weightHh: nn.Parameter;
  readonly normI: nn.LayerNorm;
  readonly normH: nn.LayerNorm;
  readonly normC: nn.LayerNorm;

  constructor(inputs: number, hidden: number) {
    super();
    this.weightIh = weight(4 * hidden, inputs);
    this.weightHh = weight(4 * hidden, hidden);
    this.normI = new nn.LayerNorm(4 * hidden);
    this.normH = new nn.LayerNorm(4 * hidden);
    this.normC = new nn.LayerNorm(hidden);
  }

  forward(x: Tensor, [h, c]: State): State {
    const fromInput = this.normI.forward(x.linear(this.weightIh));
    const fromState = this.normH.forward(h.linear(this.weightHh));
    return gated(fromInput.add(fromState), c, (next) => this.normC.forward(next));
  }
}

/** A cell, called for each step of [time, batch, inputs]. */
export class RecurrentLayer extends nn.Module {
  constructor(readonly cell: LSTMCell | LayerNormLSTMCell) {
    super();
  }

  forward(x: Tensor, state: State): [output: Tensor, state: State] {
    const outputs: Tensor[] = [];
    let now = state;
    // jitlens-ignore JL405: a sequence of another length is recorded anew
    for (const step of x.unbind()) {
      now = this.cell.forward(step, now);
      outputs.push(now[0]);
    }
    return [stack(outputs), now];
  }
}

const inputs = (time: number, batch: number, size: number): [Tensor, State] => [
  randn([time, batch, size]),
  [zeros([batch, size]), zeros([batch, size])],
];

export const lstm = jit.example(
  () => new RecurrentLayer(new LSTMCell(512, 512)),
  () => inputs(100, 64, 512),
  { software: () => inputs(4, 4, 512) },
);

export const layerNormLstm = jit.example(
  () => new RecurrentLayer(new LayerNormLSTMCell(512, 512)),
  () => inputs(100, 64, 512),
  { software: () => inputs(4, 4, 512) },
);
