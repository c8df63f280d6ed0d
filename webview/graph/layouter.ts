/**
 * @file Starts the layout worker and ends it. In: requests; a new one ends the one before. Out: each layout, unless it
 * was cancelled. A web view may only start workers from a blob, so the worker's text is fetched first.
 */
import type { LayoutReply, LayoutRequest } from './layoutTypes.ts';

export interface Layouter {
  /** Calls back once, unless cancelled before. */
  start(request: Omit<LayoutRequest, 'id'>, done: (reply: LayoutReply) => void): void;
  cancel(): void;
}

export function createLayouter(workerUrl: string): Layouter {
  let source: Promise<string> | undefined;
  let running: Worker | undefined;
  let latest = 0;

  const load = async (): Promise<string> => {
    const response = await fetch(workerUrl);
    if (!response.ok) throw new Error(`The layout worker could not be loaded (${response.status}).`);
    return URL.createObjectURL(new Blob([await response.text()], { type: 'text/javascript' }));
  };

  const cancel = (): void => {
    latest += 1;
    running?.terminate();
    running = undefined;
  };

  return {
    cancel,
    start(request, done) {
      cancel();
      const id = latest;
      const fail = (error: unknown): void => {
        if (id === latest) done({ id, error: error instanceof Error ? error.message : String(error) });
      };
      source ??= load();
      source
        .then((url) => {
          if (id !== latest) return;
          running = new Worker(url);
          running.onerror = (event) => fail(event.message);
          running.onmessage = ({ data }: MessageEvent<LayoutReply>) => {
            if (data.id !== latest) return;
            cancel();
            done(data);
          };
          running.postMessage({ id, ...request } satisfies LayoutRequest);
        })
        .catch(fail);
    },
  };
}
