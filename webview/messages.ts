/**
 * @file What the panel and the extension say to each other. Both ends parse what arrives: the panel's text comes from
 * user code, the extension's from a web page. Spans are the profile's own; lines and columns count from 1.
 * A message that is not one of these is dropped, never guessed at.
 */
import type { Profile, Span } from '../runtime/profile/model.ts';
import { isBoolean, isNumber, isObject, isString, optional } from './model/checks.ts';
import { isProfile, isSpan } from './model/profileCheck.ts';

export type ToPanel =
  | { readonly type: 'profile'; readonly profile: Profile }
  /** The caret stands on this line; without a line, on none of a profiled file. */
  | { readonly type: 'caret'; readonly file: string; readonly line?: number }
  /** The source was edited after the run. */
  | { readonly type: 'stale'; readonly stale: boolean };

export type FromPanel =
  | { readonly type: 'ready' }
  | { readonly type: 'reveal'; readonly span: Span }
  | { readonly type: 'openWgsl'; readonly kernel: string }
  | { readonly type: 'rerun' }
  | { readonly type: 'save' }
  | { readonly type: 'copy'; readonly text: string };

/** The message for the panel, rebuilt from its known fields, or undefined when it is not one. */
export function parseToPanel(value: unknown): ToPanel | undefined {
  if (!isObject(value)) return undefined;
  const { type, profile, file, line, stale } = value;
  if (type === 'profile' && isProfile(profile)) return { type, profile };
  if (type === 'caret' && isString(file) && optional(isNumber)(line)) return { type, file, line };
  if (type === 'stale' && isBoolean(stale)) return { type, stale };
  return undefined;
}

/** The message from the panel, rebuilt from its known fields, or undefined when it is not one. */
export function parseFromPanel(value: unknown): FromPanel | undefined {
  if (!isObject(value)) return undefined;
  const { type, span, kernel, text } = value;
  if (type === 'ready' || type === 'rerun' || type === 'save') return { type };
  if (type === 'reveal' && isSpan(span)) return { type, span: { file: span.file, line: span.line, column: span.column } };
  if (type === 'openWgsl' && isString(kernel)) return { type, kernel };
  if (type === 'copy' && isString(text)) return { type, text };
  return undefined;
}
