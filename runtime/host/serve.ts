/**
 * @file The analyser's end of its protocol. In: requests, a line each. Out: an answer to the latest check of each file, once
 * all that had been said before it is known. An analyser that fails on one file goes on with the others.
 */
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { FileReport } from '../profile/diagnostic.ts';
import { parseRequest, type AnalyserAnswer } from './analyser-protocol.ts';

const REST_AFTER_MS = 20;

export interface Checker {
  update(file: string, text: string | undefined): void;
  check(file: string): FileReport;
  /** Called when all questions are answered: what can be done while the user thinks. */
  rest?(): void;
}

/** Resolves when nobody asks any more. */
export async function serve(input: Readable, output: Writable, checker: Checker): Promise<void> {
  const waiting = new Map<string, number>();
  let woken = false;
  const answer = () => {
    woken = false;
    const [next] = waiting;
    if (!next) return;
    const [file, id] = next;
    waiting.delete(file);
    output.write(`${JSON.stringify(outcome(checker, file, id))}\n`);
    // After the answer is out of the house.
    if (waiting.size === 0) setTimeout(() => waiting.size === 0 && checker.rest?.(), REST_AFTER_MS).unref();
    wake();
  };
  /** What has arrived meanwhile is read before the next file is looked at. */
  const wake = () => {
    if (!woken && waiting.size > 0) setImmediate(answer);
    woken ||= waiting.size > 0;
  };
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const request = parseRequest(line);
    if (request?.type === 'update') checker.update(request.file, request.text);
    if (request?.type === 'check') waiting.set(request.file, request.id);
    wake();
  }
}

function outcome(checker: Checker, file: string, id: number): AnalyserAnswer {
  try {
    return { type: 'report', id, report: checker.check(file) };
  } catch (error) {
    return { type: 'failed', id, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
