/** @file Spans of the profile (lines and columns from 1) as places in the editor (from 0), and as text. */
import { Position, workspace } from 'vscode';
import type { Span } from '../runtime/profile/model.ts';

export function positionOf(span: Span): Position {
  return new Position(Math.max(0, span.line - 1), Math.max(0, span.column - 1));
}

export function placeOf(span: Span): string {
  return `${workspace.asRelativePath(span.file)}:${span.line}:${span.column}`;
}
