// Reactions under a message: counted, named on hover, given and taken back by a click.

import * as api from './api.js';
import { h } from './element.js';
import { icon, REACTIONS } from './icon.js';
import { mayRead, say, state } from './state.js';
import { toast } from './toast.js';

let open = null;

/** The row of reactions: those given, and those that Tidegate put there to be clicked. */
export function reactions(message) {
  const given = Object.entries(message.reactions ?? {}).map(([name, users]) => [
    name,
    Array.isArray(users) ? users : [],
  ]);
  const byBot = given.filter(([, users]) => people(users).length < users.length).map(([name]) => name);
  const seeded = [...(message.message?.reactions ?? []), ...byBot];
  const names = [...new Set([...seeded, ...given.filter(([, users]) => users.length > 0).map(([name]) => name)])];
  if (names.length === 0) return null;
  const users = Object.fromEntries(given);
  return h(
    'div',
    { class: 'reactions' },
    names.map((name) => pill(message, name, people(users[name] ?? []), seeded.includes(name))),
    h(
      'button',
      {
        type: 'button',
        class: 'pill add',
        'aria-label': 'Add a reaction',
        title: 'Add a reaction (r)',
        dataset: { focus: 'react' },
        onclick: (event) => choose(message, event.currentTarget),
      },
      icon('react'),
    ),
  );
}

/** Opens the palette beside `anchor`. */
export function choose(message, anchor) {
  close();
  const names = Object.keys(REACTIONS);
  const menu = h(
    'div',
    { class: 'palette', role: 'menu', 'aria-label': 'Reactions' },
    names.map((name, i) =>
      h(
        'button',
        {
          type: 'button',
          role: 'menuitem',
          class: `tone-${REACTIONS[name].tone}`,
          title: `${REACTIONS[name].says} (${i + 1})`,
          'aria-label': `${REACTIONS[name].says}, ${name}`,
          onclick: () => pick(name),
        },
        icon(REACTIONS[name].icon),
        h('span', null, REACTIONS[name].says),
      ),
    ),
  );
  const pick = (name) => {
    close();
    toggle(message, name);
  };
  menu.addEventListener('keydown', (event) => {
    const all = [...menu.children];
    const at = all.indexOf(document.activeElement);
    const number = Number(event.key);
    if (event.key === 'ArrowRight' || event.key === 'ArrowDown') all[(at + 1) % all.length].focus();
    else if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') all[(at - 1 + all.length) % all.length].focus();
    else if (number >= 1 && number <= names.length) pick(names[number - 1]);
    else if (event.key === 'Escape' || event.key === 'Tab') close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.body.append(menu);
  place(menu, anchor);
  const outside = (event) => !menu.contains(event.target) && close(false);
  setTimeout(() => document.addEventListener('pointerdown', outside), 0);
  open = { menu, anchor, outside };
  menu.firstChild.focus();
}

/** Closes the palette; true if one was open. */
export function close(giveBack = true) {
  if (!open) return false;
  const { menu, anchor, outside } = open;
  open = null;
  document.removeEventListener('pointerdown', outside);
  menu.remove();
  if (giveBack && anchor.isConnected) anchor.focus();
  return true;
}

/** Gives the present person's reaction, or takes it back. */
export async function toggle(message, name) {
  const current = state.messages.get(message.id) ?? message;
  const mine = (current.reactions?.[name] ?? []).includes(state.user);
  const before = current.reactions ?? {};
  const after = (before[name] ?? []).filter((user) => user !== state.user);
  if (!mine) after.push(state.user);
  // Shown at once; the server's next word about the message replaces it.
  const shown = { ...current, reactions: { ...before, [name]: after } };
  state.messages.set(message.id, shown);
  say('messages', [{ message: shown, isNew: false }]);
  try {
    await api.react(state.user, message.id, name, mine);
  } catch (error) {
    if (state.messages.get(message.id) === shown) {
      state.messages.set(message.id, current);
      say('messages', [{ message: current, isNew: false }]);
    }
    toast(`The reaction did not arrive. ${error.message}`, 'critical');
  }
}

function pill(message, name, users, seeded) {
  const known = REACTIONS[bare(name)];
  const mine = users.includes(state.user);
  const word = known?.says ?? name;
  const who = users.length > 0 ? users.join(', ') : 'nobody yet';
  const face = known ? icon(known.icon) : h('span', { class: 'named' }, `:${name}:`);
  return h(
    'button',
    {
      type: 'button',
      class: `pill tone-${known?.tone ?? 'plain'} ${mine ? 'mine' : ''} ${users.length ? '' : 'none'}`,
      'aria-pressed': String(mine),
      'aria-label': `${word}: ${who}`,
      title: `${word}: ${who}${mine ? ' (click to take back)' : ''}`,
      dataset: { reaction: name, focus: `reaction-${name}` },
      disabled: !mayRead(message),
      onclick: () => toggle(message, name),
    },
    face,
    seeded && known && h('span', { class: 'word' }, word),
    users.length > 0 && h('span', { class: 'n' }, String(users.length)),
  );
}

/** Names as people write them; the bot that seeded a reaction does not count as having given it. */
function people(users) {
  return users.filter((user) => user !== 'tidegate' && user !== state.about.bot);
}

/** Skin tones are the same reaction. */
function bare(name) {
  return String(name).split('::')[0];
}

function place(menu, anchor) {
  const at = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const left = Math.max(8, Math.min(at.left, innerWidth - size.width - 8));
  const above = at.top - size.height - 6;
  menu.style.setProperty('left', `${left}px`);
  menu.style.setProperty('top', `${above > 8 ? above : at.bottom + 6}px`);
}
