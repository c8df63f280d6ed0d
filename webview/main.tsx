/**
 * @file Starts the panel. In: the host page's root element and what the extension sends. Out: the panel, drawn; nothing
 * is shown before the first profile but a line that says so.
 */
import './nonce.ts';
import { render } from 'preact';
import { openBridge } from './bridge.ts';
import { createStore, StoreProvider, type Store } from './state.ts';
import './styles/base.css';
import './styles/overview.css';
import './styles/graph.css';
import './styles/table.css';
import './styles/kernels.css';
import { App } from './views/App.tsx';

const root = document.getElementById('root');
if (root) {
  const workerUrl = root.dataset['layoutWorker'] ?? document.body.dataset['workerUrl'] ?? '';
  const bridge = openBridge(
    (message) => store.receive(message),
    (field) => store.refuse(field),
  );
  const store: Store = createStore(bridge);
  render(
    <StoreProvider value={store}>
      <App workerUrl={workerUrl} />
    </StoreProvider>,
    root,
  );
  bridge.post({ type: 'ready' });
}
