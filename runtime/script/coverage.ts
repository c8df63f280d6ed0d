/**
 * @file Which pieces of the user's code did not run. In: something to run. Out: for each of the user's scripts that ran, its generated
 * text and the parts of functions that were entered, but not here. V8 counts blocks itself, so the code is not changed for it.
 */
import { Session } from 'node:inspector';
import { isUserFile } from '../frames.ts';

export interface Unrun {
  /** The script's URL, as its source map is found. */
  readonly url: string;
  readonly code: string;
  /** Offsets into `code`, in UTF-16 units. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[];
}

interface CoverageRange {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

interface ScriptCoverage {
  readonly scriptId: string;
  readonly url: string;
  readonly functions: readonly { readonly ranges: readonly CoverageRange[] }[];
}

/** Runs `body` with every block counted. It runs slower, so it is for looking, not for measuring. */
export function whatDidNotRun<T>(body: () => T): { readonly result: T; readonly unrun: readonly Unrun[] } {
  const session = new Session();
  session.connect();
  try {
    ask(session, 'Profiler.enable');
    ask(session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const result = body();
    const { result: scripts } = ask(session, 'Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] };
    return { result, unrun: scripts.filter((s) => isUserFile(s.url)).flatMap((script) => unrunIn(session, script)) };
  } finally {
    session.disconnect();
  }
}

function unrunIn(session: Session, { scriptId, url, functions }: ScriptCoverage): Unrun[] {
  const ranges = functions.flatMap(({ ranges: [whole, ...inner] }) =>
    whole && whole.count > 0 ? inner.filter((r) => r.count === 0).map((r) => ({ start: r.startOffset, end: r.endOffset })) : [],
  );
  if (ranges.length === 0) return [];
  ask(session, 'Debugger.enable');
  const { scriptSource } = ask(session, 'Debugger.getScriptSource', { scriptId }) as { scriptSource: string };
  ask(session, 'Debugger.disable');
  return [{ url, code: scriptSource, ranges }];
}

/** In one's own process the answer is there when the question has been put. */
function ask(session: Session, method: string, params: object = {}): unknown {
  let answer: unknown;
  session.post(method, params, (error, value?: object) => {
    if (error) throw error;
    answer = value;
  });
  return answer;
}
