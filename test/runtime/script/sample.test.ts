/** @file The two lines: a layer of the samples with another base class and a decorator, loaded and run as users' files are. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { build, Workspace } from '../support/cli.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const workspace = new Workspace();

test('the handwritten convolution with two lines changed is compiled, and gives the same', () => {
  build();
  const text = readFileSync(join(root, 'extension/samples/conv2d.ts'), 'utf8');
  const changed = text
    .replace('class Conv2d extends nn.Module', 'class Conv2d extends jit.ScriptModule')
    .replace('  forward(x: Tensor)', '  @jit.scriptMethod\n  forward(x: Tensor)');
  const lines = text.split('\n');
  expect(changed.split('\n').filter((line) => !lines.includes(line))).toHaveLength(2);
  workspace.file('eager.ts', text);
  workspace.file('scripted.ts', changed);
  const main = workspace.file(
    'main.ts',
    `import { grad, jit, manualSeed, rand } from 'jitlens';
import { Conv2d as Eager } from './eager.ts';
import { Conv2d as Scripted } from './scripted.ts';
const outputs = [];
for (const Layer of [Eager, Scripted]) {
  manualSeed(4);
  const layer = new Layer(2, 3, 3, { padding: 1, stride: 2 });
  const x = rand([2, 2, 9, 8]).requiresGrad_();
  const y = layer.forward(x);
  const gradients = grad([y.mul(y).sum()], [x, layer.weights]);
  outputs.push([[...(await y.data())], ...(await Promise.all(gradients.map(async (g) => [...(await g.data())])))]);
  const compiled = jit.infoOf(layer, 'forward')?.compiled ?? [];
  outputs.push(compiled.map((c) => [c.plans().map((p) => p.kernels.length), c.explain().includes('loop')]));
}
console.log(JSON.stringify(outputs));
`,
  );
  const out = execFileSync(process.execPath, ['--import', './dist/register.js', main], { cwd: root, encoding: 'utf8' });
  const [eager, none, scripted, compiled] = JSON.parse(out) as [number[][], unknown, number[][], unknown];
  expect(none).toEqual([]);
  // One graph without a loop; the products of all channels are one kernel, or two.
  expect(compiled).toEqual([[[expect.toSatisfy((n: number) => n <= 2)], false]]);
  scripted.forEach((values, i) => values.forEach((v, k) => expect(v).toBeCloseTo(eager[i]?.[k] ?? NaN, 4)));
  expect(scripted.map((v) => v.length)).toEqual(eager.map((v) => v.length));
});
