/**
 * @file The read-only documents `jitlens-wgsl:` that hold a kernel's WGSL. In: kernels as they are opened. Out: their
 * text for as long as this session lasts.
 */
import { Uri, ViewColumn, window, workspace } from 'vscode';
import type { Registration } from '../registration.ts';
import type { Profile, ProfileKernel } from '../../runtime/profile/model.ts';

const SCHEME = 'jitlens-wgsl';

export interface WgslDocuments extends Registration {
  open(profile: Profile, kernel: ProfileKernel): Promise<void>;
}

export function registerWgslDocuments(): WgslDocuments {
  const texts = new Map<string, string>();
  const provider = workspace.registerTextDocumentContentProvider(SCHEME, {
    provideTextDocumentContent: (uri) =>
      texts.get(uri.toString()) ?? '// This kernel belongs to an earlier session: run the profile again.',
  });
  return {
    async open(profile, kernel) {
      const path = `/${profile.example}/${kernel.name.replaceAll(/[^\w.-]+/g, '_')}.wgsl`;
      const uri = Uri.from({ scheme: SCHEME, path, query: `${kernel.id}@${profile.createdAt}` });
      texts.set(uri.toString(), kernel.wgsl);
      await window.showTextDocument(uri, { viewColumn: ViewColumn.One, preview: true });
    },
    dispose: () => {
      provider.dispose();
    },
  };
}
