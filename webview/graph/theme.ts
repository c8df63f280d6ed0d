/**
 * @file The theme's colours for the canvas. In: the `--vscode-*` tokens of the page. Out: plain colours, read again
 * when VS Code changes the class of the body. Where a token is unset the next one stands in, at last a system colour.
 */
export interface Theme {
  readonly background: string;
  readonly foreground: string;
  readonly muted: string;
  readonly box: string;
  /** Mixed from text and background: the theme's own widget border hardly shows on a canvas. */
  readonly border: string;
  readonly group: string;
  readonly edge: string;
  readonly accent: string;
  readonly caret: string;
  readonly match: string;
  readonly heat: string;
  readonly font: string;
  readonly code: string;
  readonly contrast: boolean;
}

export function readTheme(): Theme {
  const style = getComputedStyle(document.body);
  const token = (names: readonly string[], last: string): string => {
    for (const name of names) {
      const value = style.getPropertyValue(`--vscode-${name}`).trim();
      if (value && value !== 'transparent') return value;
    }
    return last;
  };
  const contrast =
    document.body.classList.contains('vscode-high-contrast') || document.body.classList.contains('vscode-high-contrast-light');
  const foreground = token(['editor-foreground', 'foreground'], 'CanvasText');
  const muted = token(['descriptionForeground', 'foreground'], 'CanvasText');
  const background = token(['editor-background'], 'Canvas');
  return {
    background,
    foreground,
    muted: contrast ? foreground : muted,
    box: token(
      contrast ? ['editor-background'] : ['editorWidget-background', 'sideBar-background', 'editor-background'],
      'Canvas',
    ),
    border: contrast ? token(['contrastBorder'], 'CanvasText') : `color-mix(in srgb, ${muted} 45%, ${background})`,
    group: token(['sideBar-background', 'editorWidget-background'], 'Canvas'),
    edge: contrast ? foreground : muted,
    accent: token(contrast ? ['contrastActiveBorder', 'focusBorder'] : ['focusBorder'], 'Highlight'),
    caret: token(['charts-yellow', 'editorWarning-foreground'], 'Highlight'),
    match: token(['charts-green', 'editorInfo-foreground'], 'Highlight'),
    heat: token(['charts-orange', 'charts-red'], 'Highlight'),
    font: token(['font-family'], 'sans-serif'),
    code: token(['editor-font-family'], 'monospace'),
    contrast,
  };
}

/** Calls back after each change of theme. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.body, { attributes: true, attributeFilter: ['class', 'data-vscode-theme-id'] });
  observer.observe(document.documentElement, { attributes: true, attributeFilter: ['style'] });
  return () => observer.disconnect();
}

export const titleFont = (theme: Theme, bold: boolean): string => `${bold ? '600 ' : ''}12px ${theme.font}`;
