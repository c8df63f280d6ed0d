/** `jitlens profile`: the document of a run that works, joined up, and one sentence with a place for a run that fails. */
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { PROFILE_FORMAT, PROFILE_VERSION, type Profile } from '../../../runtime/profile/model.ts';
import { build, placeIn, Workspace, type Ended } from '../support/cli.ts';

const sample = fileURLToPath(new URL('../../../extension/samples/conv2d.ts', import.meta.url));
const space = new Workspace();
beforeAll(build);

const header = "import { jit, nn, rand, range, tensor, type Tensor } from 'jitlens';\n\n";
const module = (body: string) => `${header}interface Unused {
  readonly gone: number;
}

class Subject extends nn.Module {
  forward(x: Tensor): Tensor {
    ${body}
  }
}

export const subject = jit.example(() => new Subject(), () => [rand([4, 8])]);
`;
const profileOf = (ended: Ended): Profile => {
  expect(ended.stderr).toBe('');
  expect(ended.code).toBe(0);
  return JSON.parse(ended.stdout) as Profile;
};

describe('the handwritten convolution', () => {
  let document: Profile;
  beforeAll(async () => {
    document = profileOf(await space.run('profile', sample, '--json', '--runs', '2'));
  });

  test('is what it says it is', () => {
    expect([document.format, document.version, document.example]).toEqual([PROFILE_FORMAT, PROFILE_VERSION, 'conv2d']);
    expect(document.file).toBe(sample);
    expect(document.span).toEqual({ file: sample, ...placeIn(readFileSync(sample, 'utf8'), 'example(\n') });
    expect(Date.parse(document.createdAt)).toBeGreaterThan(Date.now() - 600_000);
    expect(document.inputs.map((x) => [x.dtype, ...x.shape])).toEqual([['float32', 1, 3, 128, 128]]);
    expect(document.outputs.map((x) => x.shape)).toEqual([[1, 16, 126, 126]]);
    expect(document.sources[sample]).toBe(readFileSync(sample, 'utf8'));
  });

  test('goes from a hundred dispatches to two at most', () => {
    expect(document.runs.eager.dispatches).toBeGreaterThanOrEqual(100);
    expect(document.runs.traced.dispatches).toBeLessThanOrEqual(2);
    expect(document.kernels.filter((k) => k.mode === 'traced')).toHaveLength(document.runs.traced.dispatches);
    const launches = document.kernels.filter((k) => k.mode === 'eager').reduce((sum, k) => sum + k.launches, 0);
    expect(launches).toBe(document.runs.eager.dispatches);
  });

  test('is right', () => {
    expect(document.check.maxRelError).toBeLessThanOrEqual(1e-5);
    expect(document.check.maxRelErrorAgainstReference).toBeLessThanOrEqual(1e-5);
    expect(document.check.referenceSkipped).toBeUndefined();
  });

  test('has figures that fit each other', () => {
    for (const run of Object.values(document.runs)) {
      expect(run.p10Ms).toBeLessThanOrEqual(run.medianMs);
      expect(run.medianMs).toBeLessThanOrEqual(run.p90Ms);
      expect(run.p10Ms).toBeGreaterThan(0);
      expect(run.runs).toBe(2);
      expect(run.bytes).toBeGreaterThan(0);
    }
    const { kind } = document.device;
    expect(document.runs.traced.gpuMs === undefined).toBe(kind !== 'gpu');
    expect(document.runs.traced.softwareKernelMs === undefined).toBe(kind !== 'software');
    const stages = document.compile.stages.reduce((sum, stage) => sum + stage.ms, 0);
    expect(stages).toBeLessThanOrEqual(document.compile.totalMs * 1.001);
    expect(document.passes.map((pass) => pass.nodesBefore).slice(1)).toEqual(
      document.passes.map((pass) => pass.nodesAfter).slice(0, -1),
    );
  });

  test('names every node and kernel once, and every name leads somewhere', () => {
    const nodes = new Map(document.nodes.map((n) => [n.id, n]));
    const kernels = new Map(document.kernels.map((k) => [k.id, k]));
    expect([nodes.size, kernels.size]).toEqual([document.nodes.length, document.kernels.length]);
    for (const node of document.nodes) {
      for (const input of node.inputs) expect(nodes.has(input), input).toBe(true);
      if (node.kernel !== undefined) expect(kernels.get(node.kernel)?.nodes, node.id).toContain(node.id);
      expect(node.fate === 'kernel').toBe(node.kernel !== undefined && node.fate === 'kernel');
    }
    for (const kernel of document.kernels) {
      for (const id of kernel.nodes) expect(nodes.has(id), id).toBe(true);
      const lines = kernel.wgsl.split('\n');
      if (kernel.mode === 'traced') expect(kernel.wgslNodes).toHaveLength(lines.length - (lines.at(-1) === '' ? 1 : 0));
      for (const id of kernel.wgslNodes) if (id !== null) expect(nodes.has(id), id).toBe(true);
    }
  });

  test('has a place in its sources for every node and every kernel', () => {
    const places = [...document.nodes.flatMap((n) => [n.span, ...n.stack]), ...document.kernels.flatMap((k) => k.spans)];
    for (const { file, line, column } of places) {
      const text = document.sources[file]?.split('\n')[line - 1];
      expect(text, `${file}:${line}`).toBeDefined();
      expect(column).toBeGreaterThan(0);
      expect(column).toBeLessThanOrEqual(text?.length ?? 0);
    }
    for (const node of document.nodes) expect(node.stack[0]).toMatchObject(node.span);
  });
});

test('spans are the line and column of the call, innermost first, helpers and composites too', async () => {
  const text = `${header}const helper = (x: Tensor) => x.add(1).tanh(); // first

interface Between { readonly lines: number }

class Subject extends nn.Module {
  forward(x: Tensor): Tensor {
    const inner = helper(x);

    const rows = inner
      .slice(0, 1)
      .mul_(2); /* in place */
    const all = [0, 1].map((i) => inner.select(0, i));
    for (const i of range(2)) all[i]?.add_(i as number);
    return rows.softmax(1).add(tensor([1])).sum();
  }
}
export const subject = jit.example(() => new Subject(), () => [rand([4, 8])]);
`;
  const file = space.file('spans.ts', text);
  const { nodes } = profileOf(await space.run('profile', 'spans.ts', '--json', '--runs', '1'));
  const spansOf = (op: string) => nodes.filter((n) => n.op === op).map(({ span }) => span);
  const place = (marker: string) => ({ file, ...placeIn(text, marker) });
  expect(spansOf('tanh')).toEqual([place('tanh()')]);
  expect(nodes.find((n) => n.op === 'tanh')?.stack.slice(0, 2)).toMatchObject([place('tanh()'), place('helper(x);')]);
  expect(spansOf('slice')).toEqual([place('slice(0, 1)')]);
  expect(spansOf('mul_')).toEqual([place('mul_(2)')]);
  expect(spansOf('select')).toEqual([place('select(0, i)'), place('select(0, i)')]);
  expect(spansOf('add_')).toEqual([place('add_(i as'), place('add_(i as')]);
  for (const op of ['amax', 'exp', 'div']) expect(spansOf(op), op).toEqual([place('softmax(1)')]);
  expect(nodes.filter((n) => n.kind === 'constant').map(({ span }) => span)).toEqual([place('tensor([1])')]);
});

describe('a run that fails says what, where and what to do, and ends with 1', () => {
  const cases: readonly [name: string, text: string, marker: string | undefined, message: RegExp][] = [
    ['a syntax error', module('return x.add(;'), ';\n  }', /Unexpected ";"/],
    [
      'a module that throws when it is loaded',
      `${header}const a = 1;\n\nthrow new TypeError('at load');\n`,
      'new TypeError',
      /TypeError: at load/,
    ],
    [
      'a forward that throws',
      module("if (x.rank === 2) throw new RangeError('in forward');\n    return x;"),
      'new RangeError',
      /RangeError: in forward/,
    ],
    [
      'shapes that do not fit',
      module('return x.add(x.slice(1, 0, 3));'),
      'add(x.slice',
      /add of \[4, 8\] and \[4, 3\]: 8 ≠ 3 in dim 1 \(JL410\)/,
    ],
    ['a product that does not fit', module('return x\n      .matmul(x);'), 'matmul(x)', /\(JL410\)/],
    ['no tensor as a result', module('return undefined as never;'), undefined, /\(JL610\)/],
    ['an operator on tensors', module('return tensor((x as unknown as number) + 1);'), undefined, /\(JL401\)/],
    [
      'an import of nothing',
      "import { jit } from 'jitlens';\nimport { gone } from './gone.ts';\nexport const e = gone(jit);\n",
      "'./gone.ts'",
      /Could not resolve/,
    ],
    ['no example', 'export const answer = 42;\n', undefined, /exports no jit\.example/],
    [
      'several examples',
      module('return x;') +
        module('return x;')
          .replace(header, '')
          .replaceAll('Subject', 'Other')
          .replaceAll('subject', 'other')
          .replace(/interface Unused \{\n.*\n\}\n/, ''),
      undefined,
      /exports 2 examples/,
    ],
    [
      'inputs that throw',
      `${header}export const subject = jit.example(() => (x: Tensor) => x, () => {\n  throw new Error('no inputs');\n});\n`,
      'new Error',
      /no inputs/,
    ],
    [
      'a rejected promise',
      `${header}void Promise.reject(new Error('later'));\nawait new Promise((go) => setTimeout(go, 500));\n`,
      'new Error',
      /later/,
    ],
  ];
  test.concurrent.each(cases)('%s', async (name, text, marker, message) => {
    const file = `${name.replaceAll(' ', '-')}.ts`;
    space.file(file, text);
    const { code, stdout, stderr } = await space.run('profile', file, '--runs', '1');
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(message);
    const [first = '', hint = ''] = stderr.split('\n');
    const at = marker === undefined ? undefined : placeIn(text, marker);
    expect(first).toMatch(at ? new RegExp(`^${file}:${at.line}:${at.column}: `) : new RegExp(`^${file}:\\d+:\\d+: `));
    expect(hint).toMatch(/^[A-Z‘].*[.;]$/);
    expect(stderr).not.toMatch(/\n {4}at /);
  });

  test.concurrent('a file that is not there', async () => {
    const { code, stderr } = await space.run('profile', 'nowhere.ts');
    expect([code, stderr.split('\n')[0]]).toEqual([1, expect.stringMatching(/there is no file .*nowhere\.ts.*\(JLR-FILE\)/)]);
  });

  test.concurrent('an export that is not an example, or is not there', async () => {
    space.file('named.ts', `${module('return x;')}export const other = 3;\n`);
    const notOne = await space.run('profile', 'named.ts', '--example', 'other');
    expect([notOne.code, notOne.stderr]).toEqual([
      1,
      expect.stringMatching(/‘other’ is not a jit\.example[^]*--example: subject/),
    ]);
    const missing = await space.run('profile', 'named.ts', '--example', 'nobody');
    expect([missing.code, missing.stderr]).toEqual([1, expect.stringMatching(/there is no export ‘nobody’/)]);
  });

  test.concurrent('a process that ends by itself', async () => {
    space.file('exits.ts', `${header}process.exit(7);\n`);
    const { code, stderr } = await space.run('profile', 'exits.ts');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/ended with exit code 7/)]);
  });
});

describe('a run that does not end', () => {
  test.each([
    ['an endless loop', module('for (;;) x.shape;'), 'for (;;)'],
    ['an endless loop when it is loaded', `${header}let n = 0;\nwhile (true) n++;\n`, 'while (true)'],
    ['a promise that nobody keeps', `${header}await new Promise((go) => setTimeout(go, 1e6));\n`, undefined],
  ])('%s is stopped at the limit, at its line', async (name, text, marker) => {
    const file = `${name.replaceAll(' ', '-')}.ts`;
    // The whole path, by which its processes are known.
    const path = space.file(file, text);
    const start = Date.now();
    const { code, stderr } = await space.run('profile', path, '--timeout', '2', '--device', 'reference');
    expect(Date.now() - start).toBeLessThan(15_000);
    expect(code).toBe(1);
    expect(stderr).toMatch(/no progress for 2 s.*\(JLR-TIMEOUT\)\n.*--timeout/);
    if (marker !== undefined) expect(stderr).toMatch(new RegExp(`^${file}:${placeIn(text, marker).line}:`));
    expect(space.processes()).toEqual([]);
  });

  test('is cancelled by an interrupt, and leaves no process', async () => {
    const path = space.file('cancelled.ts', module('for (;;) x.shape;'));
    const { kill, ended } = space.start(['profile', path]);
    // The command line and its runner.
    await expect.poll(() => space.processes().length, { timeout: 10_000 }).toBe(2);
    await new Promise((go) => setTimeout(go, 1000));
    kill('SIGINT');
    const { code, stderr } = await ended;
    expect([code, stderr]).toEqual([130, 'Cancelled.\n']);
    expect(space.processes()).toEqual([]);
  });
});

describe('what is printed', () => {
  beforeAll(() => {
    space.file('prints.ts', module("console.log('hello from forward');\n    return x.add(1);"));
    space.file('quiet.ts', module('return x.add(1);'));
  });

  test.concurrent('a report without escape codes, naming the device', async () => {
    const { code, stdout, stderr } = await space.run('profile', 'quiet.ts', '--runs', '1', '--device', 'software');
    expect(code).toBe(0);
    expect(stdout + stderr).not.toMatch(/\x1b|\r/);
    for (const part of ['subject', 'quiet.ts', '(software, on the CPU)', 'eager', 'traced', 'return x.add(1);'])
      expect(stdout).toContain(part);
    expect(stderr).toBe('');
  });

  test.concurrent('a document and nothing else on standard output, whatever the code prints', async () => {
    const { code, stdout, stderr } = await space.run('profile', 'prints.ts', '--json', '--runs', '1');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ format: PROFILE_FORMAT, example: 'subject' });
    expect(stderr).toContain('hello from forward');
  });

  test.concurrent('the document into a file too, with --out', async () => {
    const path = join(space.folder, 'run.jlprof');
    const { code, stdout } = await space.run('profile', 'quiet.ts', '--runs', '1', '--out', 'run.jlprof');
    expect(code).toBe(0);
    expect(stdout).toContain('traced');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({ format: PROFILE_FORMAT, version: PROFILE_VERSION });
    rmSync(path);
    const nowhere = await space.run('profile', 'quiet.ts', '--runs', '1', '--out', 'no/such/folder/x.jlprof');
    expect([nowhere.code, existsSync(path)]).toEqual([1, false]);
    expect(nowhere.stderr).toMatch(/could not be written/);
  });

  test.concurrent('on the reference device: no kernels, no times of theirs', async () => {
    const document = profileOf(await space.run('profile', 'quiet.ts', '--json', '--runs', '2', '--device', 'reference'));
    expect(document.device.kind).toBe('reference');
    expect(document.kernels).toEqual([]);
    expect(document.check.maxRelError).toBe(0);
    for (const run of Object.values(document.runs)) expect([run.gpuMs, run.softwareKernelMs]).toEqual([undefined, undefined]);
  });
});

describe('a command line that is wrong ends with 2', () => {
  test.concurrent.each([
    [['profile'], /which file\?/],
    [['profile', 'a.ts', 'b.ts'], /one file at a time/],
    [['profile', 'a.ts', '--device', 'abacus'], /--device is one of gpu, software, reference/],
    [['profile', 'a.ts', '--runs', '0'], /--runs is a whole number from 1/],
    [['profile', 'a.ts', '--runs', 'many'], /--runs is a whole number from 1/],
    [['profile', 'a.ts', '--timeout', '-1'], /--timeout/],
    [['profile', 'a.ts', '--unknown'], /--unknown/],
    [['profil'], /there is no command ‘profil’/],
    [['doctor', 'who'], /Usage: jitlens doctor/],
  ])('%j', async (args, message) => {
    const { code, stdout, stderr } = await space.run(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test.concurrent.each([[['--help']], [['profile', '--help']], [['doctor', '--help']], [['--version']], [[]]])(
    '%j ends with 0',
    async (args) => {
      const { code, stdout, stderr } = await space.run(...args);
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).not.toBe('');
    },
  );
});

test('what a process compiled, the next ones find, though two of them made it at once', async () => {
  const cache = join(space.folder, 'cache');
  vi.stubEnv('JITLENS_CACHE', cache);
  try {
    const file = space.file('kept.ts', module('return x.mul(2).sum({ dim: 1 }).tanh();'));
    const run = async () => profileOf(await space.run('profile', file, '--json', '--runs', '1'));
    const stages = ({ compile }: Profile) => compile.stages.map((s) => s.name);
    const traced = ({ kernels }: Profile) => kernels.filter((k) => k.mode === 'traced').map((k) => ({ ...k, ms: 0 }));
    const both = await Promise.all([run(), run()]);
    for (const p of both) expect(p.check.maxRelErrorAgainstReference).toBeLessThanOrEqual(1e-5);
    expect(readdirSync(join(cache, 'plans'))).toHaveLength(1);
    const next = await run();
    expect(stages(next)).toEqual(['record', 'passes', 'from the cache', 'pipelines']);
    for (const p of both) expect(traced(p)).toEqual(traced(next));
    expect((await space.run('doctor')).stdout).toContain(`${join(cache, 'plans')} · 1 plans, `);
    vi.stubEnv('JITLENS_CACHE', 'off');
    expect((await space.run('doctor')).stdout).toMatch(/cache +off/);
  } finally {
    vi.unstubAllEnvs();
  }
});
