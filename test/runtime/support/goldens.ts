/**
 * @file Golden values: outputs and gradients that PyTorch computed in float64. In: a name, and what computes the outputs from
 * tensors with the golden's values. Out: a comparison of outputs and of all gradients, eager and traced.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { fromArray, grad, jit, type nn, type Tensor } from 'jitlens';

interface Values {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

type Group = Readonly<Record<string, Values>>;

export interface Golden {
  readonly consts?: Readonly<Record<string, number>>;
  readonly params: Group;
  readonly inputs: Group;
  readonly outputs: Group;
  readonly cotangents: Group;
  readonly grads: Group;
  readonly extra?: Group;
}

export function golden(name: string): Golden {
  return JSON.parse(readFileSync(new URL(`../../goldens/${name}.json`, import.meta.url), 'utf8')) as Golden;
}

export function tensorOf({ shape, data }: Values): Tensor {
  return fromArray(Float32Array.from(data), shape);
}

export function tensorsOf(group: Group = {}): Record<string, Tensor> {
  return Object.fromEntries(Object.entries(group).map(([name, values]) => [name, tensorOf(values)]));
}

/** Tensors by the names that the golden gives them, and what makes its outputs. */
export interface Setting {
  readonly params: Readonly<Record<string, Tensor>>;
  readonly inputs: Readonly<Record<string, Tensor>>;
  readonly outputs: () => Readonly<Record<string, Tensor>>;
  /** Whose `forward` makes the outputs: they are scripted too. */
  readonly modules: readonly nn.Module[];
}

/** Differences are measured against the largest value of a tensor: the goldens' note asks for about 1e-4. */
const TOLERANCE = 1e-4;

export async function expectGolden(wanted: Golden, { params, inputs, outputs, modules }: Setting): Promise<void> {
  const leaves = [
    ...Object.entries(params).map(([name, x]) => [`params.${name}`, x] as const),
    ...Object.entries(inputs).map(([name, x]) => [`inputs.${name}`, x] as const),
  ];
  expect(leaves.map(([name]) => name).sort()).toEqual(Object.keys(wanted.grads).sort());
  for (const [, x] of leaves) x.requiresGrad_();
  const names = Object.keys(wanted.outputs);
  const step = (): Tensor[] => {
    const given = outputs();
    const made = names.map((name) => given[name]).filter((x) => x !== undefined);
    const cotangents = names.map((name) => wanted.cotangents[name]).filter((x) => x !== undefined);
    const gradients = grad(
      made,
      leaves.map(([, x]) => x),
      { gradOutputs: cotangents.map(tensorOf) },
    );
    return [...made, ...gradients.map((g, i) => g ?? refuse(`no gradient for ${leaves[i]?.[0] ?? ''}`))];
  };
  const expected = [...names.map((name) => wanted.outputs[name]), ...leaves.map(([name]) => wanted.grads[name])];
  const titles = [...names, ...leaves.map(([name]) => name)];
  const traced = jit.trace(step, []);
  for (const [mode, run] of [
    ['eager', step],
    ['traced', traced],
    ['traced again', traced],
  ] as const) {
    for (const [i, x] of run().entries()) await close(`${mode}: ${titles[i] ?? ''}`, x, expected[i]);
  }
  const scripted = modules.map((module) => jit.script(module));
  modules.forEach((module, i) => Object.assign(module, { forward: scripted[i] }));
  for (const mode of ['scripted', 'scripted again']) {
    for (const [i, x] of step().entries()) await close(`${mode}: ${titles[i] ?? ''}`, x, expected[i]);
  }
  expect(scripted.map(({ info }) => [info.compiled.length, info.eagerCalls])).toEqual(modules.map(() => [1, 0]));
}

async function close(what: string, actual: Tensor, expected: Values | undefined): Promise<void> {
  expect(actual.shape, what).toEqual(expected?.shape);
  const values = [...(await actual.data())];
  const wanted = expected?.data ?? [];
  const scale = Math.max(...wanted.map(Math.abs), 1e-3);
  const at = values.findIndex((v, i) => !(Math.abs(v - (wanted[i] ?? NaN)) <= TOLERANCE * scale));
  expect(at < 0 ? undefined : `element ${at} is ${values[at] ?? NaN} instead of ${wanted[at] ?? NaN}`, what).toBeUndefined();
}

function refuse(what: string): never {
  throw new Error(what);
}
