/** @file The pages of the rules, which come with the extension. In: a rule's code. Out: its page beside the code, rendered. */
import { commands, Uri, window, workspace } from 'vscode';

export const EXPLAIN = 'jitlens.explain';

/** What a diagnostic's code links to. */
export function pageLink(code: string): Uri {
  return Uri.parse(`command:${EXPLAIN}?${encodeURIComponent(JSON.stringify([code]))}`);
}

/** The command “JitLens: Explain Rule”. In: a code, or nothing and the user chooses. */
export async function explain(extension: Uri, argument: unknown): Promise<void> {
  const folder = Uri.joinPath(extension, 'docs', 'rules');
  const code = typeof argument === 'string' ? argument : await choose(folder);
  if (code === undefined) return;
  const page = Uri.joinPath(folder, `${code}.md`);
  try {
    if (!/^JL\d+b?$/.test(code)) throw new Error('not a rule');
    await workspace.fs.stat(page);
  } catch {
    void window.showInformationMessage(`There is no page about ${code}.`);
    return;
  }
  await commands.executeCommand('markdown.showPreviewToSide', page);
}

async function choose(folder: Uri): Promise<string | undefined> {
  const pages = (await workspace.fs.readDirectory(folder)).filter(([name]) => /^JL\d+b?\.md$/.test(name));
  const decoder = new TextDecoder();
  const items = await Promise.all(
    pages.map(async ([name]) => {
      const text = decoder.decode(await workspace.fs.readFile(Uri.joinPath(folder, name)));
      const label = name.replace('.md', '');
      return { label, description: /^# (?:JL\d+b?\W*)?(.*)/.exec(text)?.[1] };
    }),
  );
  const chosen = await window.showQuickPick(items, { placeHolder: 'Which rule?', matchOnDescription: true });
  return chosen?.label;
}
