/** The analyser process and its client: the latest question is answered, crashes go unnoticed, and no process is left. */
import { build } from 'esbuild';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { AnalyserClient, type AnalyserOptions } from '../../../runtime/host/analyser-client.ts';
import { parseAnswer, parseRequest, type AnalyserAnswer } from '../../../runtime/host/analyser-protocol.ts';
import { serve } from '../../../runtime/host/serve.ts';
import { FakeChecker } from '../../fixtures/analyser.ts';

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'jitlens-analyser-')));
const analyserPath = join(folder, 'analyser.mjs');
beforeAll(async () => {
  const entry = fileURLToPath(new URL('../../fixtures/analyser-process.ts', import.meta.url));
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile: analyserPath });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the client', () => {
  const open: AnalyserClient[] = [];
  const log: string[] = [];
  afterEach(async () => {
    await Promise.all(open.splice(0).map((client) => client.dispose()));
    log.length = 0;
  });

  function connect(options: Partial<AnalyserOptions> = {}): AnalyserClient {
    const client = new AnalyserClient({
      analyserPath,
      nodePath: process.execPath,
      onLog: (text) => void log.push(text),
      ...options,
    });
    open.push(client);
    return client;
  }
  const codes = async (report: ReturnType<AnalyserClient['check']>) => (await report)?.diagnostics.map(({ code }) => code);
  const isAlive = (pid: number) => {
    try {
      return process.kill(pid, 0);
    } catch {
      return false;
    }
  };

  test('starts a process with the first question, and tells it what it knows', async () => {
    const client = connect();
    client.update('/a.ts', 'a bad one');
    expect(client.pid).toBeUndefined();
    const report = await client.check('/a.ts');
    expect(report?.diagnostics[0]?.range.start).toEqual({ line: 1, column: 3 });
    client.update('/a.ts', 'a good one');
    expect(await codes(client.check('/a.ts'))).toEqual([]);
    client.update('/a.ts');
    expect(await codes(client.check('/a.ts'))).toEqual([]);
  });

  test('drops what a newer question overtook', async () => {
    const client = connect();
    client.update('/a.ts', 'bad');
    const first = client.check('/a.ts');
    client.update('/a.ts', 'good');
    const second = client.check('/a.ts');
    const other = client.check('/b.ts');
    expect(await first).toBeUndefined();
    expect(await codes(second)).toEqual([]);
    expect(await codes(other)).toEqual([]);
  });

  test('starts it again when it was ended, with what was open', async () => {
    const client = connect();
    client.update('/a.ts', 'bad');
    client.update('/b.ts', 'bad');
    const before = await client.check('/a.ts');
    process.kill(client.pid ?? NaN, 'SIGKILL');
    const after = await client.check('/b.ts');
    expect(after?.diagnostics).toHaveLength(1);
    expect(after?.diagnostics[0]?.message).not.toBe(before?.diagnostics[0]?.message);
  });

  test('gives up on a file that crashes it, and comes back for others when the minute is over', async () => {
    const client = connect({ restarts: 2 });
    client.update('/a.ts', 'crash');
    expect(await client.check('/a.ts')).toBeUndefined();
    expect(log.filter((text) => text.includes('the analyser ended'))).toHaveLength(3);
    client.update('/a.ts', 'bad');
    expect(await client.check('/a.ts')).toBeUndefined();
    expect(client.pid).toBeUndefined();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect(await codes(client.check('/a.ts'))).toEqual(['JL203']);
    vi.useRealTimers();
  });

  test('ends one that hangs', async () => {
    const client = connect({ timeoutMs: 500 });
    client.update('/a.ts', 'hang');
    expect(await client.check('/a.ts')).toBeUndefined();
    client.update('/a.ts', 'bad');
    expect(await codes(client.check('/a.ts'))).toEqual(['JL203']);
  });

  test('says nothing about a file on which it fails', async () => {
    const client = connect();
    client.update('/a.ts', 'throw');
    expect(await client.check('/a.ts')).toBeUndefined();
    expect(log.join('\n')).toContain('cannot look at /a.ts');
    expect(await codes(client.check('/b.ts'))).toEqual([]);
  });

  test('leaves no process, and answers nothing more', async () => {
    const client = connect();
    await client.check('/a.ts');
    const pid = client.pid ?? NaN;
    expect(isAlive(pid)).toBe(true);
    await client.dispose();
    expect(isAlive(pid)).toBe(false);
    expect(await client.check('/a.ts')).toBeUndefined();
    expect(client.pid).toBeUndefined();
  });

  test('lives without a Node', async () => {
    const client = connect({ nodePath: join(folder, 'none'), restarts: 1 });
    expect(await client.check('/a.ts')).toBeUndefined();
    expect(log.join('\n')).toContain('could not be started');
  });
});

describe('the process', () => {
  test('answers the latest question about each file, in turn, and ends with its input', async () => {
    const [input, output] = [new PassThrough(), new PassThrough()];
    const ended = serve(input, output, new FakeChecker());
    const say = (value: unknown) => input.write(`${JSON.stringify(value)}\n`);
    say({ type: 'update', file: '/a.ts', text: 'bad' });
    say({ type: 'check', file: '/a.ts', id: 1 });
    input.write('no JSON\n{"type":"check","file":3,"id":9}\n');
    say({ type: 'check', file: '/b.ts', id: 2 });
    say({ type: 'update', file: '/a.ts', text: 'good' });
    say({ type: 'check', file: '/a.ts', id: 3 });
    input.end();
    await ended;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const lines = String(output.read()).trim().split('\n');
    const answers = lines.map(parseAnswer) as AnalyserAnswer[];
    expect(answers.map(({ id }) => id).sort()).toEqual([2, 3]);
    expect(answers.every((answer) => answer.type === 'report' && answer.report.diagnostics.length === 0)).toBe(true);
  });

  test('rests when nothing is asked any more', async () => {
    const [input, output, checker] = [new PassThrough(), new PassThrough(), new FakeChecker()];
    const rest = vi.fn();
    const ended = serve(input, output, Object.assign(checker, { rest }));
    input.write('{"type":"check","file":"/a.ts","id":1}\n{"type":"check","file":"/b.ts","id":2}\n');
    await vi.waitFor(() => expect(rest).toHaveBeenCalledTimes(1));
    expect(String(output.read()).trim().split('\n')).toHaveLength(2);
    input.end();
    await ended;
  });

  test.each(['', '3', 'null', '{"type":"update"}', '{"type":"update","file":"a","text":3}', '{"type":"check","file":"a"}'])(
    'is not asked anything by %s',
    (line) => expect(parseRequest(line)).toBeUndefined(),
  );

  test.each([
    '[]',
    '{"type":"report","id":1,"report":{"file":"a"}}',
    '{"type":"failed","id":1}',
    '{"type":"report","report":null}',
  ])('answers nothing with %s', (line) => expect(parseAnswer(line)).toBeUndefined());
});
