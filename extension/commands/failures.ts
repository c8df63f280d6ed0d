/**
 * @file How a failed run is told: one sentence with its place, and buttons to the line and to the long story. Nothing
 * else changes; the previous panel stays.
 */
import { commands, Range, Uri, window } from 'vscode';
import type { Failure } from '../../runtime/host/protocol.ts';
import type { Span } from '../../runtime/profile/model.ts';
import type { Output } from '../output.ts';
import { placeOf, positionOf } from '../place.ts';

const DETAILS = 'Show Details';
const LINE = 'Go to Line';
const CHOOSE = 'Choose Node…';

export function showFailure(failure: Failure, output: Output): void {
  output.explain(failure);
  const buttons = failure.span ? [DETAILS, LINE] : [DETAILS];
  void window.showErrorMessage(sentence(failure), ...buttons).then((button) => {
    if (button === DETAILS) output.show();
    if (button === LINE && failure.span) void goTo(failure.span);
  });
}

export function showNoNode(problem: string): void {
  void window.showErrorMessage(problem, CHOOSE).then((button) => {
    if (button === CHOOSE) void commands.executeCommand('workbench.action.openSettings', 'jitlens.nodePath');
  });
}

/** The message names its own place only when it has no span. */
function sentence({ message, span }: Failure): string {
  const text = message.replace(/\s+/g, ' ').trim();
  return span ? `${text.replace(/\.$/, '')} (${placeOf(span)})` : text;
}

async function goTo(span: Span): Promise<void> {
  const at = positionOf(span);
  await window.showTextDocument(Uri.file(span.file), { selection: new Range(at, at) });
}
