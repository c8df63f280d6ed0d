/** Reference modules written with ops alone: forward and all gradients against golden values, eagerly and traced. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { grad, jit, stack, tensor, type Tensor } from 'jitlens';
import { firstOff } from '../support/compare.ts';

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}
type Named<T> = Readonly<Record<string, T>>;
interface Golden {
  readonly params: Named<Values>;
  readonly inputs: Named<Values>;
  readonly outputs: Named<Values>;
  readonly cotangents: Named<Values>;
  readonly grads: Named<Values>;
  readonly extra?: Named<Values>;
}

/** Looks a tensor up by name; a name that the file lacks is an error. */
type Lookup = (name: string) => Tensor;
type Module = (at: Lookup) => Named<Tensor>;

const load = (name: string) => JSON.parse(readFileSync(new URL(`../../goldens/${name}.json`, import.meta.url), 'utf8')) as Golden;
const made = ({ shape, data }: Values) => tensor(Float32Array.from(data)).view(shape);

function resnet(training: boolean): Module {
  return (at) => {
    const norm = (x: Tensor, name: string) => {
      const statistics = training ? {} : { runningMean: at(`${name}.m`), runningVar: at(`${name}.v`) };
      return x.batchNorm({ weight: at(`${name}.w`), bias: at(`${name}.b`), training, ...statistics });
    };
    const x = at('x');
    const inner = norm(x.conv2d(at('c1'), undefined, { stride: 2, padding: 1 }), 'bn1').relu();
    const main = norm(inner.conv2d(at('c2'), undefined, { padding: 1 }), 'bn2');
    return { out: main.add(norm(x.conv2d(at('cd'), undefined, { stride: 2 }), 'bnd')).relu() };
  };
}

function spade(norm: (x: Tensor) => Tensor): Module {
  return (at) => {
    const x = at('x');
    const map = at('segmap').interpolate({ size: x.shape.slice(2) });
    const hidden = map.conv2d(at('shared_w'), at('shared_b'), { padding: 1 }).relu();
    const gamma = hidden.conv2d(at('gamma_w'), at('gamma_b'), { padding: 1 });
    const beta = hidden.conv2d(at('beta_w'), at('beta_b'), { padding: 1 });
    return { out: norm(x).mul(gamma.add(1)).add(beta) };
  };
}

const gptBlock: Module = (at) => {
  const x = at('x');
  const [batch = 1, places = 1, features = 1] = x.shape;
  const heads = (t: Tensor) => t.view([batch, places, 2, features / 2]).transpose(1, 2);
  const normal = (t: Tensor, name: string) => t.layerNorm(features, at(`${name}.w`), at(`${name}.b`));
  const [q, k, v] = normal(x, 'ln1').linear(at('wqkv'), at('bqkv')).chunk(3, -1).map((t) => heads(t.contiguous())) as [Tensor, Tensor, Tensor]; // prettier-ignore
  const mixed = q.scaledDotProductAttention(k, v, { isCausal: true }).transpose(1, 2).reshape(x.shape);
  const h = x.add(mixed.linear(at('wo'), at('bo')));
  return { out: h.add(normal(h, 'ln2').linear(at('w1'), at('b1')).gelu().linear(at('w2'), at('b2'))) };
};

function gated(gates: Tensor, c: Tensor, cellNorm: (c: Tensor) => Tensor = (x) => x) {
  const [i, f, g, o] = gates.chunk(4, 1) as [Tensor, Tensor, Tensor, Tensor];
  const next = cellNorm(f.sigmoid().mul(c).add(i.sigmoid().mul(g.tanh())));
  return { h: o.sigmoid().mul(next.tanh()), c: next };
}

const lstmCell: Module = (at) =>
  gated(
    at('x')
      .linear(at('w_ih'), at('b_ih'))
      .add(at('h').linear(at('w_hh'), at('b_hh'))),
    at('c'),
  );

const lnlstm: Module = (at) => {
  let [h, c] = [at('h'), at('c')];
  const normal = (t: Tensor, name: string) => t.layerNorm(t.size(-1), at(`${name}.w`), at(`${name}.b`));
  const hs = at('x')
    .unbind()
    .map((x) => {
      const gates = normal(x.linear(at('w_ih')), 'ln_i').add(normal(h.linear(at('w_hh')), 'ln_h'));
      return ({ h, c } = gated(gates, c, (next) => normal(next, 'ln_c'))).h;
    });
  return { y: stack(hs), h, c };
};

const gru: Module = (at) => {
  let h = at('h');
  const hs = at('x')
    .unbind()
    .map((x) => {
      const [xr, xz, xn] = x.linear(at('w_ih'), at('b_ih')).chunk(3, 1) as [Tensor, Tensor, Tensor];
      const [hr, hz, hn] = h.linear(at('w_hh'), at('b_hh')).chunk(3, 1) as [Tensor, Tensor, Tensor];
      const [r, z] = [xr.add(hr).sigmoid(), xz.add(hz).sigmoid()];
      return (h = xn.add(r.mul(hn)).tanh().lerp(h, z));
    });
  return { y: stack(hs), h };
};

const MODULES: Named<Module> = {
  resnet_basicblock_train: resnet(true),
  resnet_basicblock_eval: resnet(false),
  spade_batch_train: spade((x) => x.batchNorm({ training: true })),
  spade_instance: spade((x) => x.instanceNorm()),
  gpt_block: gptBlock,
  lstm_cell: lstmCell,
  lnlstm_layer_T4: lnlstm,
  gru_layer_T4: gru,
};

const TOLERANCE = { relative: 1e-4, absolute: 2e-5 };

describe.each(Object.entries(MODULES))('golden %s', (name, module) => {
  const golden = load(name);
  const outputs = Object.keys(golden.outputs);
  const leaves = [
    ...Object.entries(golden.params).map(([key, values]) => ({ key, full: `params.${key}`, values })),
    ...Object.entries(golden.inputs).map(([key, values]) => ({ key, full: `inputs.${key}`, values })),
  ];
  const fixed = golden.extra ?? {};
  const run = (...tensors: [Tensor, ...Tensor[]]) => {
    const at: Lookup = (key) => {
      const found = tensors[leaves.findIndex((leaf) => leaf.key === key)] ?? (fixed[key] && statistics.get(key));
      if (!found) throw new Error(`no ${key} in ${name}`);
      return found;
    };
    const made = module(at);
    return outputs.map((key) => made[key]).filter((x) => x !== undefined);
  };
  const statistics = new Map(Object.entries(fixed).map(([key, values]) => [key, made(values)]));
  const inputs = () => leaves.map(({ values }) => made(values).requiresGrad_()) as [Tensor, ...Tensor[]];

  async function check(by: typeof run): Promise<void> {
    const tensors = inputs();
    const outs = by(...tensors);
    const gradients = outputs.map((key) => golden.cotangents[key]).filter((x) => x !== undefined);
    const given = grad(outs, tensors, { gradOutputs: gradients.map(made) });
    for (const [i, key] of outputs.entries()) {
      const out = outs[i];
      expect(out?.shape).toEqual(golden.outputs[key]?.shape);
      expect(out && firstOff([...(await out.data())], golden.outputs[key]?.data ?? [], TOLERANCE), key).toBeUndefined();
    }
    for (const [i, { full }] of leaves.entries()) {
      const [got, want] = [given[i], golden.grads[full]];
      expect(got?.shape, full).toEqual(want?.shape);
      expect(got && firstOff([...(await got.data())], want?.data ?? [], TOLERANCE), full).toBeUndefined();
    }
  }

  test('eagerly', () => check(run));
  test('traced', () => check(jit.trace(run, inputs())));
});
