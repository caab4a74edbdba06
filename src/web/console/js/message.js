// One message as an article: who, when, what, and everything that can be done with it.

import * as api from './api.js';
import { avatar, called } from './avatar.js';
import { body, isSlight } from './block.js';
import { ago, full, hour, moment } from './clock.js';
import { h, put } from './element.js';
import { form } from './form.js';
import { icon } from './icon.js';
import { choose, reactions } from './reaction.js';
import { isApp, person, recall, remember, state } from './state.js';

const LEVELS = new Set(['quiet', 'info', 'good', 'caution', 'critical']);
/** Unfolded lists, by message and block, so that an edit does not fold them again. */
const folds = new Set();
const dismissed = new Set(recall('dismissed', []));

/** The article. `how`: {grouped, replies (of its thread), open (opens the thread), inThread}. */
export function article(message, how) {
  const content = message.message ?? {};
  const level = LEVELS.has(content.level) ? content.level : 'quiet';
  const app = isApp(message.author);
  const slight = isSlight(message);
  const asked = message.form ?? content.form;
  const inner = [
    body(message, folds),
    asked && form(asked),
    content.buttons?.length > 0 && buttons(message, content.buttons),
    content.footer && h('p', { class: 'footer' }, content.footer),
  ];
  const at = moment(message.at);
  return h(
    'article',
    {
      class: [
        'message',
        how.grouped && 'grouped',
        slight && 'slight',
        app ? 'from-app' : 'from-person',
        message.for && 'private',
      ]
        .filter(Boolean)
        .join(' '),
      tabindex: -1,
      dataset: { message: message.id, level },
      'aria-label': `${called(message.author)}: ${firstWords(message)}`,
    },
    h('div', { class: 'gutter' }, how.grouped ? at !== null && when(at, 'hour') : avatar(message.author)),
    h(
      'div',
      { class: 'content' },
      !how.grouped &&
        h(
          'div',
          { class: 'who' },
          h('span', { class: 'author' }, called(message.author)),
          badge(message.author),
          at !== null && when(at),
          message.edited > 0 && h('span', { class: 'edited', title: times(message.edited) }, 'edited'),
        ),
      message.for &&
        h(
          'div',
          { class: 'only' },
          icon('private'),
          h('span', null, 'Only you see this'),
          h(
            'button',
            { type: 'button', class: 'link', onclick: () => dismiss(message.id), dataset: { focus: 'dismiss' } },
            'Dismiss',
          ),
        ),
      h('div', { class: app && !slight ? 'card' : 'bubble' }, inner),
      reactions(message),
      how.replies?.length > 0 && summary(how.replies, () => how.open(message.id)),
    ),
    tools(message, how),
  );
}

/** Whether its reader has put a private note away. */
export function isDismissed(message) {
  return dismissed.has(message.id);
}

/** The beginning of a message, for announcements and lists. */
export function firstWords(message) {
  const text = String(message.text ?? '')
    .trim()
    .split('\n')[0];
  return text.length > 140 ? `${text.slice(0, 140)}…` : text;
}

/** A moment that keeps telling how long ago it is. */
export function when(at, shape = 'ago') {
  return h(
    'time',
    { class: 'when', datetime: new Date(at).toISOString(), title: full(at), dataset: { at: String(at), shape } },
    shape === 'hour' ? hour(at) : ago(at),
  );
}

/** Refreshes every relative time on the page. */
export function keepTimes() {
  for (const node of document.querySelectorAll('time.when')) {
    const at = Number(node.dataset.at);
    node.setAttribute('title', full(at));
    if (node.dataset.shape === 'ago') node.textContent = ago(at);
  }
}

function badge(name) {
  const who = person(name);
  if (who.kind === 'app') return h('span', { class: 'badge' }, 'advisor');
  if (who.kind !== 'member') return h('span', { class: 'badge' }, who.kind);
  return null;
}

function buttons(message, list) {
  const note = h('p', { class: 'form-note', role: 'alert' });
  const row = h(
    'div',
    { class: 'buttons' },
    list.map((button) => {
      const style = ['primary', 'danger'].includes(button.style) ? button.style : 'plain';
      return h(
        'button',
        {
          type: 'button',
          class: `button ${style}`,
          dataset: { button: button.id, focus: `button-${button.id}` },
          onclick: (event) => pressed(event.currentTarget, button.id),
        },
        button.says,
      );
    }),
  );
  return [row, note];

  async function pressed(node, id) {
    const all = [...row.querySelectorAll('button')];
    all.forEach((each) => (each.disabled = true));
    node.setAttribute('aria-busy', 'true');
    put(note);
    try {
      await api.press(state.user, message.id, id);
    } catch (error) {
      put(note, error.message);
    } finally {
      node.removeAttribute('aria-busy');
      all.forEach((each) => (each.disabled = false));
    }
  }
}

function summary(replies, onclick) {
  const last = replies.at(-1);
  const at = moment(last.at);
  const people = [...new Set(replies.map((reply) => called(reply.author)))].slice(0, 4);
  return h(
    'button',
    { type: 'button', class: 'thread-summary', onclick, dataset: { focus: 'thread' } },
    h(
      'span',
      { class: 'faces' },
      people.map((name) => avatar(name)),
    ),
    h('span', { class: 'count' }, replies.length === 1 ? '1 reply' : `${replies.length} replies`),
    at !== null && h('span', { class: 'last' }, 'last ', when(at)),
    h('span', { class: 'glimpse' }, firstWords(last)),
  );
}

function tools(message, how) {
  return h(
    'div',
    { class: 'tools' },
    h(
      'button',
      {
        type: 'button',
        class: 'round',
        'aria-label': 'React',
        title: 'React (r)',
        tabindex: -1,
        dataset: { tool: 'react' },
        onclick: (event) => choose(message, event.currentTarget),
      },
      icon('react'),
    ),
    how.open &&
      h(
        'button',
        {
          type: 'button',
          class: 'round',
          'aria-label': 'Open the thread',
          title: 'Open the thread (t)',
          tabindex: -1,
          onclick: () => how.open(message.id),
        },
        icon('thread'),
      ),
  );
}

function dismiss(id) {
  dismissed.add(id);
  remember('dismissed', [...dismissed].slice(-200));
  const node = document.querySelector(`[data-message="${CSS.escape(id)}"]`);
  node?.remove();
}

function times(n) {
  return n === 1 ? 'Edited once' : `Edited ${n} times`;
}
