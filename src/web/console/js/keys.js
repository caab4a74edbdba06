// The keyboard: every thing that the mouse can do, by a letter.

import { showKeys } from './dialog.js';
import { go } from './place.js';
import { choose, close as closePalette } from './reaction.js';
import { closeSide } from './side.js';
import { state } from './state.js';
import { openSwitcher } from './switcher.js';

/** Listens to the whole page. */
export function listen({ channel, thread, writer, answerer }) {
  document.addEventListener('keydown', (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault();
      return openSwitcher();
    }
    if (document.querySelector('dialog[open]')) return;
    if (event.altKey && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      return neighbour(event.key === 'ArrowDown' ? 1 : -1);
    }
    if (event.key === 'Escape') return escape(event);
    if (event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return;
    const pane = inThread() ? thread : channel;
    const here = document.activeElement?.closest('article') ?? null;
    const does = {
      '?': showKeys,
      '/': () => (inThread() ? answerer : writer).focus(),
      j: () => pane.move(1),
      k: () => pane.move(-1),
      t: () => here && !inThread() && go({ thread: here.dataset.message }),
      r: () => react(here),
      b: () => here?.querySelector('.buttons button, .form input, .form textarea, .form select')?.focus(),
      x: () => here?.querySelectorAll('details').forEach((each) => (each.open = !each.open)),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
  });

  /** One thing after the other: the palette, the menu, the field, the thread. */
  function escape(event) {
    if (event.defaultPrevented || closePalette() || closeSide()) return;
    const field = isWriting(document.activeElement) ? document.activeElement : null;
    if (field && field.closest('#channel')) return field.blur();
    if (state.thread) {
      const id = state.thread;
      go({ thread: null });
      return channel.element(id)?.focus({ preventScroll: true });
    }
    document.activeElement?.blur();
  }
}

function react(here) {
  const message = here && state.messages.get(here.dataset.message);
  if (message) choose(message, here.querySelector('.pill.add') ?? here.querySelector('[data-tool=react]') ?? here);
}

function inThread() {
  return state.thread !== null && document.activeElement?.closest('#thread') !== null;
}

function neighbour(step) {
  const all = state.about.channels;
  if (all.length > 0) go({ channel: all[(all.indexOf(state.channel) + step + all.length) % all.length] });
}

function isWriting(node) {
  return node instanceof Element && node.matches('input, textarea, select');
}
