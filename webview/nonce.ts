/**
 * @file Hands this script's nonce to the toolkit, which looks for it in a `meta` element before it adds a style sheet.
 * Must be imported before the toolkit: it looks only once.
 */
const nonce = document.currentScript?.nonce;
if (nonce) {
  const meta = document.createElement('meta');
  meta.setAttribute('property', 'csp-nonce');
  meta.content = nonce;
  document.head.append(meta);
}
