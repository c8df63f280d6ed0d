/**
 * @file The watchdog: a thread beside the user's code. In: a shared clock that the main thread sets at each sign of
 * progress. Out: when that stands still for too long, the line that the main thread is at. It works while the main
 * thread is in an endless loop, which is when it is needed.
 */
import { Session, type Debugger } from 'node:inspector';
import { SourceMap, type SourceMapping } from 'node:module';
import { writeSync } from 'node:fs';
import { workerData } from 'node:worker_threads';
import { fileURLToPath } from 'node:url';
import type { Failure, RunnerMessage } from './protocol.ts';

interface WatchdogData {
  readonly beat: SharedArrayBuffer;
  readonly timeoutMs: number;
  readonly channel: number;
  readonly file: string;
}

const { beat, timeoutMs, channel, file } = workerData as WatchdogData;
const [LAST, TRUSTED] = [0, 1];
const shared = new Float64Array(beat);
/** The user's files, by script id: frames do not name their files. */
const scripts = new Map<string, Debugger.ScriptParsedEventDataType>();

// The debugger must be on before an endless loop begins, or it cannot pause it; it is off again for what is measured.
const session = new Session();
session.connectToMainThread();
session.on('Debugger.scriptParsed', ({ params }) => {
  if (params.url.startsWith('file:') && params.url.endsWith('ts')) scripts.set(params.scriptId, params);
});
session.on('Debugger.paused', ({ params }) => {
  const [place] = params.callFrames.flatMap(({ location }) => {
    const script = scripts.get(location.scriptId);
    return script ? [placeOf(script, location)] : [];
  });
  report(place);
});
session.post('Debugger.enable');

const parent = process.ppid;
let watched = true;
let asked = false;
setInterval(() => {
  // Whoever asked is gone, and so is the reason to run; a main thread in a loop would never notice.
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  if (watched && shared[TRUSTED] === 1) {
    watched = false;
    session.post('Debugger.disable');
  }
  if (asked || Date.now() - (shared[LAST] ?? 0) < timeoutMs) return;
  asked = true;
  session.post('Debugger.pause');
  // A main thread that waits, rather than runs, does not pause.
  setTimeout(() => report(undefined), 1500);
}, 100);

function placeOf({ url, sourceMapURL }: Debugger.ScriptParsedEventDataType, location: Debugger.Location): Failure['span'] {
  const map = decode(sourceMapURL ?? '');
  const entry: Partial<SourceMapping> | undefined = map?.findEntry(location.lineNumber, location.columnNumber ?? 0);
  return {
    file: fileURLToPath(url),
    line: (entry?.originalLine ?? location.lineNumber) + 1,
    column: (entry?.originalColumn ?? location.columnNumber ?? 0) + 1,
  };
}

function decode(url: string): SourceMap | undefined {
  const [, data] = /^data:.*?;base64,(.*)$/s.exec(url) ?? [];
  if (!data) return undefined;
  return new SourceMap(JSON.parse(Buffer.from(data, 'base64').toString('utf8')) as ConstructorParameters<typeof SourceMap>[0]);
}

let reported = false;
function report(span: Failure['span']): void {
  if (reported) return;
  reported = true;
  const seconds = timeoutMs / 1000;
  const failure: Failure = {
    code: 'JLR-TIMEOUT',
    message: span
      ? `no progress for ${seconds} s: the code is still at this line`
      : `no progress for ${seconds} s, so the run was stopped`,
    hint: 'Look for a loop that does not end, or raise the limit (--timeout SECONDS, or the setting jitlens.timeout).',
    span: span ?? { file, line: 1, column: 1 },
  };
  const message: RunnerMessage = { type: 'failed', failure };
  writeSync(channel, `${JSON.stringify(message)}\n`);
}
