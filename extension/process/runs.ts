/**
 * @file The one run that may be in progress. In: a request. Out: its outcome, while a notification shows the stages and
 * offers Cancel. On `dispose` the run is stopped and its process waited for.
 */
import { dirname, join } from 'node:path';
import { existsSync } from 'node:fs';
import { ProgressLocation, window } from 'vscode';
import { runProfile, type Outcome } from '../../runtime/host/client.ts';
import type { ProfileRequest } from '../../runtime/host/protocol.ts';

export interface Runs {
  readonly busy: boolean;
  start(title: string, nodePath: string, request: ProfileRequest): Promise<Outcome>;
  dispose(): Promise<void>;
}

export function createRuns(runnerPath: string, onOutput: (text: string) => void): Runs {
  let current: { readonly controller: AbortController; readonly outcome: Promise<Outcome> } | undefined;
  return {
    get busy() {
      return current !== undefined;
    },
    async start(title, nodePath, request) {
      const controller = new AbortController();
      const options = { location: ProgressLocation.Notification, cancellable: true, title };
      const outcome = Promise.resolve(
        window.withProgress(options, (progress, token) => {
          token.onCancellationRequested(() => controller.abort());
          let reached = 0;
          return runProfile(request, {
            nodePath,
            runnerPath,
            cwd: packageRoot(request.file),
            signal: controller.signal,
            onOutput,
            onStage: ({ label, fraction }) => {
              progress.report({ message: label, increment: Math.max(0, fraction - reached) * 100 });
              reached = Math.max(reached, fraction);
            },
          });
        }),
      );
      current = { controller, outcome };
      try {
        return await outcome;
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

/** Where a user would start Node by hand: the nearest folder upwards with a manifest. */
function packageRoot(file: string): string {
  let folder = dirname(file);
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) return dirname(file);
    folder = parent;
  }
  return folder;
}
