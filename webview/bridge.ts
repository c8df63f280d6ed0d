/**
 * @file The panel's only door to the extension. In: messages of the host page's window, parsed; what does not parse is
 * dropped; a profile among it is named. Out: messages to the extension, and the view state that outlives a reload.
 */
import { isObject } from './model/checks.ts';
import { damagedField } from './model/profileCheck.ts';
import { parseToPanel, type FromPanel, type ToPanel } from './messages.ts';

interface VsCodeApi {
  postMessage(message: FromPanel): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare function acquireVsCodeApi(): VsCodeApi;

export interface Bridge {
  post(message: FromPanel): void;
  load(): unknown;
  store(state: unknown): void;
}

export function openBridge(receive: (message: ToPanel) => void, refuse: (reason: string) => void): Bridge {
  const api = acquireVsCodeApi();
  window.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
    const message = parseToPanel(data);
    if (message) receive(message);
    else if (isObject(data) && data['type'] === 'profile') refuse(damagedField(data['profile']) ?? 'the document');
  });
  return {
    post: (message) => api.postMessage(message),
    load: () => api.getState(),
    store: (state) => api.setState(state),
  };
}
