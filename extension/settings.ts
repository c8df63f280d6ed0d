/** @file The settings of `package.json`, typed. Out: a value each; a setting of the wrong type counts as not set. */
import { workspace, type ConfigurationScope } from 'vscode';
import type { ProfileRequest } from '../runtime/host/protocol.ts';
import { levelsIn, type Level } from './diagnostics/severity.ts';

export const LINE_COSTS = 'jitlens.showLineCosts';
export const ANALYSIS = 'jitlens.diagnostics.enable';
export const SEVERITY = 'jitlens.diagnostics.severity';

export interface RunSettings {
  readonly nodePath?: string;
  readonly request: Pick<ProfileRequest, 'runs' | 'device' | 'timeoutMs'>;
}

export function runSettings(scope: ConfigurationScope): RunSettings {
  const section = workspace.getConfiguration('jitlens', scope);
  const number = (key: string) => {
    const value: unknown = section.get(key);
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined;
  };
  const seconds = number('timeout');
  const nodePath: unknown = section.get('nodePath');
  return {
    nodePath: typeof nodePath === 'string' && nodePath.trim() !== '' ? nodePath.trim() : undefined,
    request: {
      runs: number('runs'),
      device: deviceOf(section.get('device')),
      timeoutMs: seconds === undefined ? undefined : seconds * 1000,
    },
  };
}

export function lineCostsShown(): boolean {
  return workspace.getConfiguration().get<unknown>(LINE_COSTS) !== false;
}

export function analysisEnabled(scope: ConfigurationScope): boolean {
  return workspace.getConfiguration(undefined, scope).get<unknown>(ANALYSIS) !== false;
}

export function severities(scope: ConfigurationScope): ReadonlyMap<string, Level> {
  return levelsIn(workspace.getConfiguration(undefined, scope).get<unknown>(SEVERITY));
}

function deviceOf(value: unknown): ProfileRequest['device'] {
  return value === 'gpu' || value === 'software' || value === 'reference' ? value : undefined;
}
