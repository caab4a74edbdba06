// Ctrl+K: another channel, another person, another thread, by a few letters.

import { avatar } from './avatar.js';
import { dialog } from './dialog.js';
import { h, put } from './element.js';
import { icon } from './icon.js';
import { firstWords } from './message.js';
import { go } from './place.js';
import { older, mayRead, state } from './state.js';
import { unread } from './unread.js';

const MOST_THREADS = 8;

/** Opens the switcher; `only` limits it to 'people'. */
export function openSwitcher(only = null) {
  if (document.querySelector('dialog.switcher')) return;
  const all = [
    ...(only === 'people' ? [] : channels()),
    ...(state.about.you ? [] : people()),
    ...(only === 'people' ? [] : threads()),
  ];
  let shown = [];
  let at = 0;
  const list = h('ul', { role: 'listbox', id: 'switcher-list', 'aria-label': 'Results' });
  const input = h('input', {
    type: 'text',
    role: 'combobox',
    'aria-expanded': 'true',
    'aria-controls': 'switcher-list',
    'aria-label': 'Go to',
    placeholder: only === 'people' ? 'Speak as' : 'Go to a channel, person or thread',
    autocomplete: 'off',
    spellcheck: 'false',
  });
  const box = dialog(
    'switcher',
    only === 'people' ? 'Speak as somebody else' : 'Go to',
    h('label', { class: 'seek' }, icon('search'), input),
    list,
  );
  input.addEventListener('input', () => draw());
  input.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const n = shown.length;
      if (n > 0) select((at + (event.key === 'ArrowDown' ? 1 : n - 1)) % n);
    } else if (event.key === 'Enter') {
      event.preventDefault();
      pick(shown[at]);
    }
  });
  draw();
  input.focus();

  function draw() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    shown = all.filter((item) => words.every((word) => item.find.toLowerCase().includes(word)));
    let group = null;
    put(
      list,
      shown.flatMap((item, i) => {
        const row = h(
          'li',
          {
            role: 'option',
            id: `switcher-${i}`,
            dataset: item.data ?? {},
            'aria-current': item.here ? 'true' : null,
            onpointermove: () => select(i, false),
            onclick: () => pick(item),
          },
          item.face,
          h('span', { class: 'what' }, item.says),
          item.badge && h('span', { class: `badge kind-${item.badge}` }, item.badge),
          h('span', { class: 'more' }, item.more),
        );
        const head =
          only === 'people' || item.group === group
            ? []
            : [h('li', { class: 'group', role: 'presentation' }, (group = item.group))];
        return [...head, row];
      }),
      shown.length === 0 && h('li', { class: 'group', role: 'presentation' }, 'Nothing of that name.'),
    );
    select(0);
  }

  function select(i, scroll = true) {
    at = i;
    for (const row of list.querySelectorAll('[role=option]'))
      row.setAttribute('aria-selected', String(row.id === `switcher-${i}`));
    input.setAttribute('aria-activedescendant', `switcher-${i}`);
    if (scroll) list.querySelector(`#switcher-${i}`)?.scrollIntoView({ block: 'nearest' });
  }

  function pick(item) {
    if (!item) return;
    box.close();
    go(item.to);
    if (!item.to.thread) document.getElementById('composer-text')?.focus();
  }
}

function channels() {
  return state.about.channels.map((name) => ({
    group: 'Channels',
    find: `# ${name} channel`,
    says: name,
    face: icon('hash'),
    here: name === state.channel,
    more: unread(name) ? `${unread(name)} new` : '',
    to: { channel: name, thread: null },
  }));
}

function people() {
  return state.about.users.map((user) => ({
    group: 'Speak as',
    find: `${user.name} ${user.kind} ${user.roles.join(' ')}`,
    says: user.name,
    face: avatar(user.name),
    badge: user.kind === 'member' ? null : user.kind,
    here: user.name === state.user,
    more: user.roles.join(', '),
    data: { user: user.name },
    to: { user: user.name },
  }));
}

function threads() {
  const active = new Set(
    [...state.messages.values()]
      .filter((message) => message.thread && mayRead(message))
      .map((message) => message.thread),
  );
  return [...active]
    .map((id) => state.messages.get(id))
    .filter((root) => root && mayRead(root))
    .sort(older)
    .reverse()
    .slice(0, MOST_THREADS)
    .map((root) => ({
      group: 'Threads',
      find: firstWords(root),
      says: firstWords(root),
      face: icon('thread'),
      here: root.id === state.thread,
      more: '',
      to: { channel: root.channel, thread: root.id },
    }));
}
