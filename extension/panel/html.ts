/**
 * @file The panel's page: a root element, one style sheet, one script with a nonce. Nothing else may load or run; the
 * layout worker is fetched as text and started from a blob.
 */
import { randomBytes } from 'node:crypto';
import { Uri, type Webview } from 'vscode';

export function panelHtml(webview: Webview, folder: Uri): string {
  const nonce = randomBytes(18).toString('base64');
  const at = (name: string) => webview.asWebviewUri(Uri.joinPath(folder, name)).toString();
  const policy = [
    `default-src 'none'`,
    `script-src 'nonce-${nonce}'`,
    `style-src ${webview.cspSource} 'nonce-${nonce}'`,
    `font-src ${webview.cspSource}`,
    `img-src ${webview.cspSource} data:`,
    `connect-src ${webview.cspSource}`,
    `worker-src blob:`,
  ].join('; ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta http-equiv="Content-Security-Policy" content="${policy}">
  <!-- The toolkit's own style element asks for it here. -->
  <meta property="csp-nonce" content="${nonce}">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <link rel="stylesheet" href="${at('main.css')}">
  <title>JitLens</title>
</head>
<body>
  <div id="root" data-layout-worker="${at('layout-worker.js')}"></div>
  <script nonce="${nonce}" src="${at('main.js')}"></script>
</body>
</html>`;
}
