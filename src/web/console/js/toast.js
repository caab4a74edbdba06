// A sentence that passes by: what was refused, what was done.

import { h } from './element.js';

const STAYS = 6000;

/** Shows `text` for a few seconds. */
export function toast(text, tone = 'plain') {
  const node = h('div', { class: `toast ${tone}` }, text);
  document.getElementById('toasts').append(node);
  setTimeout(() => node.remove(), STAYS);
}
