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

/**
 * Counts every block from now on: of functions that have not run before, since V8 prepares a function for it when it compiles it.
 * Code runs slower meanwhile, so it is for looking, not for measuring.
 */
export class Coverage {
  private readonly session = new Session();

  constructor() {
    this.session.connect();
    ask(this.session, 'Profiler.enable');
    ask(this.session, 'Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** What did not run since the last time. */
  take(): Unrun[] {
    const { result } = ask(this.session, 'Profiler.takePreciseCoverage') as { result: readonly ScriptCoverage[] };
    return result.filter((s) => isUserFile(s.url)).flatMap((script) => unrunIn(this.session, script));
  }

  stop(): void {
    ask(this.session, 'Profiler.stopPreciseCoverage');
    this.session.disconnect();
  }
}

/** Runs `body` with every block counted. */
export function whatDidNotRun<T>(body: () => T): { readonly result: T; readonly unrun: readonly Unrun[] } {
  const coverage = new Coverage();
  try {
    const result = body();
    return { result, unrun: coverage.take() };
  } finally {
    coverage.stop();
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
