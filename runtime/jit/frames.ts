/**
 * @file Where in the user's TypeScript a call comes from. In: the current stack. Out: its frames outside JitLens,
 * innermost first, mapped back through source maps.
 */
import { findSourceMap, type SourceMapping } from 'node:module';
import { dirname, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Frame } from '../ir/graph.ts';

const DEPTH = 40;

/** Files under here are JitLens's own: `runtime/` when run from source, `dist/` when built. */
const own = (() => {
  const here = dirname(fileURLToPath(import.meta.url));
  return (here.endsWith(`${sep}jit`) ? dirname(here) : here) + sep;
})();

export function userFrames(): Frame[] {
  const sites = callSites();
  const frames: Frame[] = [];
  for (const site of sites) {
    const file = site.getFileName();
    if (!file || file.startsWith('node:')) continue;
    const frame = mapped(file, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
    if (frame.file.startsWith(own) || frame.file.includes(`${sep}node_modules${sep}`)) continue;
    frames.push({ ...frame, function: site.getFunctionName() ?? undefined });
  }
  return frames;
}

/** A generated position as the position in the source that it came from. */
export function mapped(file: string, line: number, column: number): Frame {
  const path = file.startsWith('file:') ? fileURLToPath(file) : file;
  const map = findSourceMap(pathToFileURL(path).href) ?? findSourceMap(path);
  const entry: Partial<SourceMapping> | undefined = map?.findEntry(line - 1, column - 1);
  if (entry?.originalSource === undefined || entry.originalLine === undefined) return { file: path, line, column };
  const source = entry.originalSource.startsWith('file:') ? fileURLToPath(entry.originalSource) : entry.originalSource;
  return { file: source, line: entry.originalLine + 1, column: (entry.originalColumn ?? 0) + 1 };
}

function callSites(): NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = Error;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = DEPTH;
    Error.prepareStackTrace = (_error, sites) => sites;
    Error.captureStackTrace(holder, callSites);
    return Array.isArray(holder.stack) ? (holder.stack as NodeJS.CallSite[]) : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = stackTraceLimit;
  }
}
