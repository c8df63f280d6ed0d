/**
 * @file What the analyser process is told and what it answers, one JSON document a line on its standard input and output.
 * Both ends parse; neither trusts the other's text.
 */
import type { FileReport } from '../profile/diagnostic.ts';

export type AnalyserRequest =
  /** A file has this text, unsaved; without one it is what the disk says, which may have changed. */
  | { readonly type: 'update'; readonly file: string; readonly text?: string }
  /** Only the latest for a file is answered. */
  | { readonly type: 'check'; readonly file: string; readonly id: number };

export type AnalyserAnswer =
  | { readonly type: 'report'; readonly id: number; readonly report: FileReport }
  /** The analyser itself failed on this file. */
  | { readonly type: 'failed'; readonly id: number; readonly message: string };

export function parseRequest(line: string): AnalyserRequest | undefined {
  const value = parse(line);
  if (typeof value?.['file'] !== 'string') return undefined;
  if (value['type'] === 'check' && typeof value['id'] === 'number') return value as AnalyserRequest;
  const hasText = value['text'] === undefined || typeof value['text'] === 'string';
  return value['type'] === 'update' && hasText ? (value as AnalyserRequest) : undefined;
}

export function parseAnswer(line: string): AnalyserAnswer | undefined {
  const value = parse(line);
  if (typeof value?.['id'] !== 'number') return undefined;
  if (value['type'] === 'failed' && typeof value['message'] === 'string') return value as AnalyserAnswer;
  return value['type'] === 'report' && isReport(value['report']) ? (value as AnalyserAnswer) : undefined;
}

function isReport(value: unknown): value is FileReport {
  const report = value as Partial<FileReport> | undefined | null;
  return typeof report?.file === 'string' && Array.isArray(report.diagnostics) && Array.isArray(report.functions);
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
