/**
 * @file How a failed run is told: one sentence with its place, and buttons to the line and to the long story. Nothing
 * else changes; the previous panel stays.
 */
import { commands, Range, Uri, window } from 'vscode';
import type { Failure } from '../../runtime/host/protocol.ts';
import type { Span } from '../../runtime/profile/model.ts';
import type { Output } from '../output.ts';
import { placeOf, positionOf } from '../place.ts';
import { NO_NODE } from '../process/profile.ts';

const DETAILS = 'Show Details';
const LINE = 'Go to Line';
const NODE = 'Choose Node…';

export function showFailure(failure: Failure, output: Output): void {
  const { code, span } = failure;
  output.explain(failure);
  const buttons = [DETAILS, ...(span ? [LINE] : []), ...(code === NO_NODE ? [NODE] : [])];
  void window.showErrorMessage(sentence(failure), ...buttons).then((button) => {
    if (button === DETAILS) output.show();
    if (button === LINE && span) void goTo(span);
    if (button === NODE) void commands.executeCommand('workbench.action.openSettings', 'jitlens.nodePath');
  });
}

function sentence({ message, span }: Failure): string {
  const text = message.replace(/\s+/g, ' ').trim();
  return span ? `${text.replace(/\.$/, '')} (${placeOf(span)})` : text;
}

async function goTo(span: Span): Promise<void> {
  const at = positionOf(span);
  await window.showTextDocument(Uri.file(span.file), { selection: new Range(at, at) });
}
