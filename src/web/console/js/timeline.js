// A list of messages that stays where the reader is: changed messages are exchanged in place, new ones come at the end.

import { day, moment } from './clock.js';
import { h } from './element.js';
import { icon } from './icon.js';
import { article, isDismissed } from './message.js';
import { state } from './state.js';

const NEAR = 80;
const TOGETHER = 5 * 60000;

/** Binds a list to its elements. `how`: {open, replies(message), before() (what stands above the first message)}. */
export function timeline(scroll, roll, how) {
  /** Message id → {node, key}. */
  const drawn = new Map();
  const marks = new Map();
  let sticking = true;
  let head = null;
  const pill = h(
    'button',
    { type: 'button', class: 'newer', hidden: true, onclick: () => toEnd(true) },
    icon('down'),
    'New messages',
  );
  scroll.after(pill);

  // Only the reader's own scrolling says whether they want to stay at the end; a change of size says nothing.
  let size = '';
  const sizeNow = () => `${scroll.scrollHeight} ${scroll.clientHeight}`;
  const resized = new ResizeObserver(() => sticking && toEnd(false));
  resized.observe(roll);
  resized.observe(scroll);
  scroll.addEventListener(
    'scroll',
    () => {
      if (size !== sizeNow()) return;
      sticking = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < NEAR;
      if (sticking) pill.hidden = true;
    },
    { passive: true },
  );

  return { draw, reset, toEnd, move, element: (id) => drawn.get(id)?.node };

  /** Draws `messages`; `fresh` holds the ids that just came or changed; `since` is where unread ones begin. */
  function draw(messages, { fresh = new Set(), since = null } = {}) {
    const shown = messages.filter((message) => !isDismissed(message));
    const nodes = [];
    if (how.before) nodes.push((head = how.before(shown, head)));
    let last = null;
    let wasUnread = since === null;
    for (const message of shown) {
      const at = moment(message.at);
      if (at !== null && (last === null || day(at) !== day(moment(last.at) ?? at)))
        nodes.push(mark(`day-${day(at)}`, 'date', day(at)));
      if (!wasUnread && at !== null && at > since && message.author !== state.user) {
        wasUnread = true;
        nodes.push(mark('unread', 'unread', 'New'));
      }
      const grouped = last !== null && nodes.at(-1)?.tagName === 'ARTICLE' && together(last, message);
      nodes.push(drawOne(message, grouped, fresh.has(message.id)));
      last = message;
    }
    const ids = new Set(shown.map((message) => message.id));
    for (const id of drawn.keys()) if (!ids.has(id)) drawn.delete(id);
    arrange(nodes);
    if (sticking) toEnd(false);
    else if ([...fresh].some((id) => ids.has(id) && id === shown.at(-1)?.id)) pill.hidden = false;
  }

  function drawOne(message, grouped, isFresh) {
    const replies = how.replies?.(message) ?? [];
    const key = [
      message.seq,
      state.user,
      grouped,
      replies.length,
      replies.at(-1)?.seq,
      JSON.stringify(message.reactions ?? {}),
    ].join('|');
    const old = drawn.get(message.id);
    if (old?.key === key) return old.node;
    const node = article(message, { grouped, replies, open: how.open });
    if (old) {
      keepFocus(old.node, node);
      if (old.node.classList.contains('at')) node.classList.add('at');
    }
    if (isFresh) node.classList.add(old ? 'changed' : 'arrived');
    drawn.set(message.id, { node, key });
    return node;
  }

  /** Starts over, for another channel or thread. */
  function reset() {
    drawn.clear();
    marks.clear();
    head = null;
    roll.replaceChildren();
    sticking = true;
    pill.hidden = true;
  }

  /** To the last message: its end, or its beginning if it is taller than the window. */
  function toEnd(smooth) {
    const last = roll.lastElementChild;
    const tall = last && last.tagName === 'ARTICLE' && last.offsetHeight > scroll.clientHeight - 40;
    const top = tall ? last.offsetTop - roll.offsetTop - 8 : roll.querySelector('article') ? scroll.scrollHeight : 0;
    size = sizeNow();
    scroll.scrollTo({
      top,
      behavior: smooth && !matchMedia('(prefers-reduced-motion: reduce)').matches ? 'smooth' : 'instant',
    });
    pill.hidden = true;
  }

  /** Moves the focus to the next (1) or previous (−1) message. */
  function move(step) {
    const all = [...roll.querySelectorAll('article')];
    const at = all.indexOf(document.activeElement?.closest('article'));
    const next = at < 0 ? (step > 0 ? all[0] : all.at(-1)) : all[Math.max(0, Math.min(all.length - 1, at + step))];
    if (!next) return;
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
  }

  function mark(key, kind, text) {
    if (!marks.has(key))
      marks.set(key, h('div', { class: `mark-line ${kind}`, role: 'separator' }, h('span', null, text)));
    return marks.get(key);
  }

  function arrange(nodes) {
    const wanted = new Set(nodes);
    for (const child of [...roll.children])
      if (!wanted.has(child)) {
        // Focus inside was handed to the new node; it can take it only once it is in the page.
        child.remove();
      }
    nodes.forEach((node, i) => {
      if (roll.children[i] !== node) roll.insertBefore(node, roll.children[i] ?? null);
    });
    for (const node of nodes) {
      const focus = node.dataset?.refocus;
      if (focus === undefined) continue;
      delete node.dataset.refocus;
      const target = focus && node.querySelector(`[data-focus="${CSS.escape(focus)}"]`);
      (target || node).focus({ preventScroll: true });
      const caret = node.dataset.caret?.split(',').map(Number);
      delete node.dataset.caret;
      if (caret && target?.setSelectionRange) target.setSelectionRange(caret[0], caret[1]);
    }
  }
}

/** Lets a message that was redrawn under somebody's hands keep the focus and the caret. */
function keepFocus(old, node) {
  const held = document.activeElement;
  if (!old.contains(held)) return;
  node.dataset.refocus = held.dataset.focus ?? '';
  if (typeof held.selectionStart === 'number') node.dataset.caret = `${held.selectionStart},${held.selectionEnd}`;
}

/** Whether a message goes on where the one before ended, so that its author need not be named again. */
function together(one, other) {
  if (one.author !== other.author || one.for !== other.for || other.edited > 0) return false;
  const [from, to] = [moment(one.at), moment(other.at)];
  return from === null || to === null || to - from < TOGETHER;
}
