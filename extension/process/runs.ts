/**
 * @file The one run that may be in progress. In: what to do, given a signal to stop and someone to tell the stages.
 * Out: its outcome, while a notification shows the stage and offers Cancel. `dispose` stops it and waits for its end.
 */
import { ProgressLocation, window } from 'vscode';
import type { ClientOptions, Outcome } from '../../runtime/host/client.ts';

export type Work = (hooks: Required<Pick<ClientOptions, 'signal' | 'onStage'>>) => Promise<Outcome>;

export interface Runs {
  /** Undefined when another run is still in progress. */
  start(title: string, work: Work): Promise<Outcome | undefined>;
  dispose(): Promise<void>;
}

export function createRuns(): Runs {
  let current: { readonly controller: AbortController; readonly outcome: Promise<Outcome> } | undefined;
  return {
    async start(title, work) {
      if (current) return undefined;
      const controller = new AbortController();
      current = { controller, outcome: withNotification(title, controller, work) };
      try {
        return await current.outcome;
      } finally {
        current = undefined;
      }
    },
    async dispose() {
      current?.controller.abort();
      await current?.outcome;
    },
  };
}

async function withNotification(title: string, controller: AbortController, work: Work): Promise<Outcome> {
  const options = { location: ProgressLocation.Notification, cancellable: true, title };
  return window.withProgress(options, (progress, token) => {
    token.onCancellationRequested(() => controller.abort());
    let reached = 0;
    return work({
      signal: controller.signal,
      onStage: ({ label, fraction }) => {
        progress.report({ message: label, increment: Math.max(0, fraction - reached) * 100 });
        reached = Math.max(reached, fraction);
      },
    });
  });
}
