/**
 * @file The one selection that all views share. In: a node, a kernel or a line, and the joined profile. Out: the ids to
 * mark, and the place in the source to show. A selection that names nothing in the profile marks nothing.
 */
import type { Span } from '../../runtime/profile/model.ts';
import { arrayOf, isNumber, isString, oneOf, shape, type Check } from './checks.ts';
import { lineKey, type ProfileIndex } from './joins.ts';

export type Selection =
  | {
      readonly kind: 'node';
      readonly id: string;
      /** The ops that are drawn with it as one. */ readonly twins?: readonly string[];
    }
  | { readonly kind: 'kernel'; readonly id: string }
  | { readonly kind: 'line'; readonly file: string; readonly line: number };

export interface Marks {
  readonly nodes: ReadonlySet<string>;
  readonly kernels: ReadonlySet<string>;
}

export const NO_MARKS: Marks = { nodes: new Set(), kernels: new Set() };

const isNodeSelection = shape<{ kind: 'node'; id: string; twins?: readonly string[] }>({
  kind: oneOf('node'),
  id: isString,
  twins: (value): value is readonly string[] | undefined => value === undefined || arrayOf(isString)(value),
});
const isKernelSelection = shape<{ kind: 'kernel'; id: string }>({ kind: oneOf('kernel'), id: isString });
const isLineSelection = shape<{ kind: 'line'; file: string; line: number }>({
  kind: oneOf('line'),
  file: isString,
  line: isNumber,
});

export const isSelection: Check<Selection> = (value): value is Selection =>
  isNodeSelection(value) || isKernelSelection(value) || isLineSelection(value);

export function nodesOnLine(index: ProfileIndex, file: string, line: number): readonly string[] {
  return index.byLine.get(lineKey({ file, line })) ?? [];
}

export function exists(index: ProfileIndex, selection: Selection): boolean {
  if (selection.kind === 'node') return index.nodes.has(selection.id);
  if (selection.kind === 'kernel') return index.kernels.has(selection.id);
  return nodesOnLine(index, selection.file, selection.line).length > 0;
}

function homes(index: ProfileIndex, nodes: readonly string[]): Set<string> {
  return new Set(nodes.map((id) => index.home.get(id)).filter((id) => id !== undefined));
}

export function marksOf(index: ProfileIndex, selection: Selection | undefined): Marks {
  if (!selection) return NO_MARKS;
  if (selection.kind === 'kernel') {
    return { nodes: new Set(index.kernels.get(selection.id)?.nodes), kernels: new Set([selection.id]) };
  }
  const nodes =
    selection.kind === 'node' ? [selection.id, ...(selection.twins ?? [])] : nodesOnLine(index, selection.file, selection.line);
  return { nodes: new Set(nodes), kernels: homes(index, nodes) };
}

export function placeOf(index: ProfileIndex, selection: Selection): Span | undefined {
  if (selection.kind === 'node') return index.nodes.get(selection.id)?.span;
  if (selection.kind === 'kernel') return index.kernels.get(selection.id)?.spans[0];
  return { file: selection.file, line: selection.line, column: 1 };
}
