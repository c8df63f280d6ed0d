/**
 * @file Where in the user's TypeScript a call comes from. In: the current stack. Out: its frames outside JitLens,
 * innermost first, mapped back through source maps.
 */
import { findSourceMap, type SourceMapping } from 'node:module';
import { basename, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { SourcePlace } from './errors.ts';
import { isOwn } from './own.ts';

export interface Frame extends SourcePlace {
  readonly function?: string;
}

const DEPTH = 40;
/** Calls between an op and the user's line, and some more. */
const NEAR = 24;

export function userFrames(): Frame[] {
  return outside(callSites());
}

/** The user's frames in the stack of an error that was thrown; needs `keepFrames` to have been called before. */
export function framesOf(error: Error): Frame[] {
  // Reading the stack is what makes it.
  return error.stack === undefined ? [] : outside(sitesOf.get(error) ?? []);
}

const sitesOf = new WeakMap<Error, NodeJS.CallSite[]>();

/** From now on, errors remember their call sites, and print with the user's frames alone. */
export function keepFrames(): void {
  // Some ops throw more than the usual ten calls below the user's line.
  Error.stackTraceLimit = DEPTH;
  Error.prepareStackTrace = (error, sites) => {
    sitesOf.set(error, sites);
    return [String(error), ...outside(sites).map(line)].join('\n');
  };
}

function line(frame: Frame): string {
  return `    at ${frame.function ? `${frame.function} ` : ''}(${frame.file}:${frame.line}:${frame.column})`;
}

function outside(sites: readonly NodeJS.CallSite[]): Frame[] {
  const frames: Frame[] = [];
  for (const site of sites) {
    const file = site.getFileName();
    // Before mapping: built chunks map back to sources that lie elsewhere.
    if (!file || file.startsWith('node:') || scriptOf(file).own) continue;
    const frame = mapped(file, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
    if (frame.file.includes(`${sep}node_modules${sep}`)) continue;
    frames.push({ ...frame, function: site.getFunctionName() ?? undefined });
  }
  return frames;
}

interface Script {
  readonly path: string;
  readonly url: string;
  /** JitLens's. */
  readonly own: boolean;
}

/** Each op has tens of frames, of few files. */
const scripts = new Map<string, Script>();

function scriptOf(file: string): Script {
  const known = scripts.get(file);
  if (known) return known;
  const path = pathOf(file);
  const script = { path, url: pathToFileURL(path).href, own: isOwn(path) };
  scripts.set(file, script);
  return script;
}

function pathOf(file: string): string {
  return file.startsWith('file:') ? fileURLToPath(file) : file;
}

/** A generated position as the position in the source that it came from. */
export function mapped(file: string, line: number, column: number): Frame {
  const { path, url } = scriptOf(file);
  const map = findSourceMap(url) ?? findSourceMap(path);
  const entry: Partial<SourceMapping> | undefined = map?.findEntry(line - 1, column - 1);
  if (entry?.originalSource === undefined || entry.originalLine === undefined) return { file: path, line, column };
  return { file: pathOf(entry.originalSource), line: entry.originalLine + 1, column: (entry.originalColumn ?? 0) + 1 };
}

/** For a sentence that names a place. */
export function at(place: SourcePlace | undefined): string {
  return place ? ` at ${basename(place.file)}:${place.line}` : '';
}

/** A place in the code that is only worked out when somebody asks: keeping it is much cheaper than knowing it. */
export interface Mark {
  readonly stack?: unknown;
}

export function markHere(): Mark {
  const { stackTraceLimit } = Error;
  const mark: Mark = {};
  Error.stackTraceLimit = NEAR;
  Error.captureStackTrace(mark, markHere);
  Error.stackTraceLimit = stackTraceLimit;
  return mark;
}

/** The user's frames at a mark, innermost first; none when they are no longer known. */
export function framesAt(mark: Mark): Frame[] {
  const { prepareStackTrace } = Error;
  try {
    Error.prepareStackTrace = (_error, sites) => sites;
    return Array.isArray(mark.stack) ? outside(mark.stack as NodeJS.CallSite[]) : [];
  } finally {
    Error.prepareStackTrace = prepareStackTrace;
  }
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

/** Whether a script is neither JitLens's nor Node's nor a package's. */
export function isUserFile(url: string): boolean {
  return url.startsWith('file:') && !isOwn(pathOf(url)) && !url.includes('/node_modules/');
}
