/**
 * @file What the panel and the extension say to each other. Both ends parse what arrives: the panel's text comes from
 * user code, the extension's from a web page. Spans are the profile's own; lines and columns count from 1.
 */
import type { Profile, Span } from '../runtime/profile/model.ts';

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
