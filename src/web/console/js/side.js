// The side of the page: channels with what is new in them, the sample world, and who is speaking.

import { avatar } from './avatar.js';
import { closeButton, showKeys } from './dialog.js';
import { h, put } from './element.js';
import { icon, logo } from './icon.js';
import { go } from './place.js';
import { signOut } from './sign_in.js';
import { person, state } from './state.js';
import { openSwitcher } from './switcher.js';
import { theme, turnTheme } from './theme.js';
import { toast } from './toast.js';
import { unread } from './unread.js';
import { hasWorld, world } from './world.js';

let panel = null;
let about = null;

/** Draws the side anew; the world's panel stays as long as its facts do, so that typing in it is not cut off. */
export function drawSide() {
  const facts = JSON.stringify([state.about.mode, state.about.world, state.about.zone]);
  if (facts !== about) {
    about = facts;
    panel = hasWorld() ? world() : null;
  }
  const side = document.getElementById('side');
  const held = side.contains(document.activeElement) ? document.activeElement.dataset.focus : undefined;
  put(
    side,
    h(
      'div',
      { class: 'brand' },
      logo(),
      h('span', null, 'Tidegate'),
      state.about.mode === 'try' && h('span', { class: 'badge' }, 'try'),
      h('span', { class: 'only-narrow' }, closeButton(closeSide, 'Close the menu')),
    ),
    h(
      'button',
      { type: 'button', class: 'seek-button', onclick: () => openSwitcher(), dataset: { focus: 'seek' } },
      icon('search'),
      h('span', null, 'Go to'),
      h('kbd', null, 'Ctrl K'),
    ),
    h('h2', { id: 'side-channels' }, 'Channels'),
    h('ul', { class: 'channels', 'aria-labelledby': 'side-channels' }, state.about.channels.map(channel)),
    h('div', { class: 'spring' }),
    panel,
    me(),
  );
  if (held) side.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
}

export function openSide() {
  document.getElementById('app').classList.add('side-open');
  const veil = document.getElementById('veil');
  veil.hidden = false;
  veil.onclick = closeSide;
  document.querySelector('#side [aria-current], #side button')?.focus();
}

/** Closes the drawer of narrow screens; true if it was open. */
export function closeSide() {
  const app = document.getElementById('app');
  if (!app.classList.contains('side-open')) return false;
  app.classList.remove('side-open');
  document.getElementById('veil').hidden = true;
  return true;
}

function channel(name) {
  const here = name === state.channel;
  const news = here ? 0 : unread(name);
  return h(
    'li',
    null,
    h(
      'button',
      {
        type: 'button',
        class: `channel ${news ? 'news' : ''}`,
        'aria-current': here ? 'page' : null,
        dataset: { channel: name, focus: `channel-${name}` },
        onclick: () => {
          closeSide();
          go({ channel: name });
        },
      },
      icon('hash'),
      h('span', { class: 'name' }, name),
      news > 0 && h('span', { class: 'news-count', 'aria-label': `${news} new` }, news > 99 ? '99+' : String(news)),
    ),
  );
}

function me() {
  const who = person(state.user);
  const looks = { auto: ['auto', 'Look: as the system'], light: ['sun', 'Look: light'], dark: ['moon', 'Look: dark'] }[
    theme()
  ];
  const roles = who.kind === 'member' ? who.roles.join(', ') || 'no role' : [who.kind, ...who.roles].join(', ');
  return h(
    'div',
    { class: 'me' },
    h(
      'button',
      {
        type: 'button',
        class: 'who-am-i',
        id: 'person',
        disabled: Boolean(state.about.you),
        dataset: { focus: 'person', user: who.name },
        'aria-label': `Speaking as ${who.name}, ${roles}${state.about.you ? '' : '. Change'}`,
        title: state.about.you ? null : 'Speak as somebody else',
        onclick: () => openSwitcher('people'),
      },
      avatar(who.name),
      h('span', { class: 'me-text' }, h('span', { class: 'name' }, who.name), h('span', { class: 'roles' }, roles)),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'round',
        title: looks[1],
        'aria-label': looks[1],
        dataset: { focus: 'theme' },
        onclick: () => {
          turnTheme();
          drawSide();
        },
      },
      icon(looks[0]),
    ),
    h(
      'button',
      {
        type: 'button',
        class: 'round keys-button',
        title: 'Keyboard shortcuts (?)',
        'aria-label': 'Keyboard shortcuts',
        onclick: showKeys,
      },
      icon('keys'),
    ),
    state.about.you &&
      h(
        'button',
        {
          type: 'button',
          class: 'round',
          id: 'sign-out',
          title: 'Sign out',
          'aria-label': 'Sign out',
          onclick: () => signOut().catch((error) => toast(error.message, 'critical')),
        },
        icon('out'),
      ),
  );
}
