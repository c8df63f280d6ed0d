/**
 * @file The one profile panel. In: profiles to show and the caret's place. Out: what the user asks for in it (reveal a
 * line, open WGSL, run again, save). The profile lives here; the page may be thrown away and made anew at any time.
 */
import { commands, env, Uri, ViewColumn, window, workspace, type ExtensionContext, type WebviewPanel } from 'vscode';
import { parseFromPanel, type FromPanel, type ToPanel } from '../../webview/messages.ts';
import type { Profile, Span } from '../../runtime/profile/model.ts';
import { TRACE_AND_PROFILE, type Target } from '../commands/target.ts';
import type { Registration } from '../registration.ts';
import { panelHtml } from './html.ts';
import { readProfile, saveProfileAs, writeProfile } from './profileFile.ts';
import { revealSpan } from './reveal.ts';
import type { WgslDocuments } from './wgsl.ts';

const VIEW_TYPE = 'jitlens.profile';

export interface Panel extends Registration {
  show(profile: Profile): Promise<void>;
  /** What to run when the panel itself is in front. */
  activeTarget(): Target | undefined;
  /** Highlights a line's nodes; without a line, none. */
  caret(file: string, line: number | undefined): void;
}

export interface PanelHooks {
  readonly wgsl: WgslDocuments;
  /** A profile came back after a reload. */
  onRestored(profile: Profile): void;
}

export function createPanel(context: ExtensionContext, hooks: PanelHooks): Panel {
  const folder = Uri.joinPath(context.extensionUri, 'dist', 'webview');
  const kept = context.storageUri && Uri.joinPath(context.storageUri, 'last.jlprof');
  let shown: { readonly panel: WebviewPanel; profile: Profile; stale: boolean } | undefined;
  /** The panel asked for this line itself, so the caret's arrival there is no news to it. */
  let revealed: Span | undefined;

  const post = (message: ToPanel) => void shown?.panel.webview.postMessage(message);
  const isStale = (profile: Profile) =>
    workspace.textDocuments.some((document) => {
      const source = document.uri.scheme === 'file' ? profile.sources[document.uri.fsPath] : undefined;
      return source !== undefined && source !== document.getText();
    });
  const sendAll = () => {
    if (!shown) return;
    post({ type: 'profile', profile: shown.profile });
    post({ type: 'stale', stale: shown.stale });
  };

  async function hear(message: FromPanel): Promise<void> {
    if (!shown) return;
    const { profile } = shown;
    switch (message.type) {
      case 'ready':
        sendAll();
        return;
      case 'reveal':
        // The page shows names from user code; it may only ask for files of its own profile.
        if (!Object.hasOwn(profile.sources, message.span.file)) return;
        revealed = message.span;
        return revealSpan(message.span);
      case 'openWgsl': {
        const kernel = profile.kernels.find(({ id }) => id === message.kernel);
        return kernel && hooks.wgsl.open(profile, kernel);
      }
      case 'rerun':
        return commands.executeCommand(TRACE_AND_PROFILE, targetOf(profile));
      case 'save':
        return saveProfileAs(profile);
      case 'copy':
        return env.clipboard.writeText(message.text);
    }
  }

  function adopt(panel: WebviewPanel, profile: Profile): void {
    shown = { panel, profile, stale: isStale(profile) };
    panel.iconPath = Uri.joinPath(context.extensionUri, 'extension', 'media', 'panel.svg');
    panel.webview.options = { enableScripts: true, localResourceRoots: [folder] };
    panel.webview.onDidReceiveMessage((value: unknown) => {
      const message = parseFromPanel(value);
      if (message) hear(message).catch(report);
    });
    panel.onDidDispose(() => {
      if (shown?.panel === panel) shown = undefined;
    });
    panel.title = titleOf(profile);
    panel.webview.html = panelHtml(panel.webview, folder);
  }

  const registrations = [
    window.registerWebviewPanelSerializer(VIEW_TYPE, {
      async deserializeWebviewPanel(panel) {
        const profile = kept && (await readProfile(kept).catch(() => undefined));
        if (!profile || shown) {
          panel.dispose();
          return;
        }
        adopt(panel, profile);
        hooks.onRestored(profile);
      },
    }),
    workspace.onDidChangeTextDocument(({ document }) => {
      if (!shown || !Object.hasOwn(shown.profile.sources, document.uri.fsPath)) return;
      const stale = isStale(shown.profile);
      if (stale === shown.stale) return;
      shown.stale = stale;
      post({ type: 'stale', stale });
    }),
  ];

  return {
    async show(profile) {
      if (shown) {
        shown.profile = profile;
        shown.stale = isStale(profile);
        shown.panel.title = titleOf(profile);
        // The lens refresh is lost when the panel takes the focus from the editor.
        shown.panel.reveal(undefined, true);
        sendAll();
      } else {
        const at = { viewColumn: ViewColumn.Beside, preserveFocus: true };
        adopt(
          window.createWebviewPanel(VIEW_TYPE, titleOf(profile), at, { enableScripts: true, localResourceRoots: [folder] }),
          profile,
        );
      }
      if (kept) await keep(kept, profile).catch(report);
    },
    activeTarget: () => (shown?.panel.active ? targetOf(shown.profile) : undefined),
    caret(file, line) {
      const echo = revealed?.file === file && revealed.line === line;
      revealed = undefined;
      if (!shown || echo) return;
      post({ type: 'caret', file, line: Object.hasOwn(shown.profile.sources, file) ? line : undefined });
    },
    dispose() {
      for (const registration of registrations) registration.dispose();
    },
  };
}

async function keep(uri: Uri, profile: Profile): Promise<void> {
  await workspace.fs.createDirectory(Uri.joinPath(uri, '..'));
  await writeProfile(uri, profile);
}

function targetOf({ file, example }: Profile): Target {
  return { uri: Uri.file(file).toString(), example };
}

function titleOf({ example }: Profile): string {
  return `Profile: ${example}`;
}

function report(error: unknown): void {
  void window.showErrorMessage(error instanceof Error ? error.message : String(error));
}
