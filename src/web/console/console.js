// The console: a chat in the browser, over the JSON API that `docs` describe. Puts the parts together.

import * as api from './js/api.js';
import { avatar } from './js/avatar.js';
import { closeButton } from './js/dialog.js';
import { composer } from './js/composer.js';
import { h, put } from './js/element.js';
import * as feed from './js/feed.js';
import { icon } from './js/icon.js';
import { listen } from './js/keys.js';
import { firstWords, keepTimes } from './js/message.js';
import { arrive, followAddress, go } from './js/place.js';
import { drawSide, openSide } from './js/side.js';
import { signIn } from './js/sign_in.js';
import { mayRead, on, person, replies, roots, slash, state } from './js/state.js';
import { openSwitcher } from './js/switcher.js';
import { beginTheme } from './js/theme.js';
import { timeline } from './js/timeline.js';
import { toast } from './js/toast.js';
import { beginRead, markRead, readUntil, unread } from './js/unread.js';
import { welcome } from './js/welcome.js';
import { keepWorld } from './js/world.js';

const $ = (id) => document.getElementById(id);
const WORKING_FOR_AT_MOST = 20000;

const channel = timeline($('channel-scroll'), $('channel-roll'), {
  open: (id) => go({ thread: id }),
  replies: (message) => replies(message.id),
  before: (messages, old) => {
    const node = welcome(messages.length === 0, { write: (text) => writer.write(text), run });
    return old?.dataset.key === node.dataset.key ? old : node;
  },
});
const thread = timeline($('thread-scroll'), $('thread-roll'), {});

const writer = composer({
  id: 'composer',
  label: 'Write a command',
  commands: true,
  placeholder: () => `${slash()} plan …`,
  draftKey: () => `draft.${state.user}.${state.channel}`,
  send: sendCommand,
});
const answerer = composer({
  id: 'reply',
  label: 'Reply in the thread',
  placeholder: () => 'Reply in the thread',
  draftKey: () => `draft.${state.user}.thread.${state.thread}`,
  send: (text) => (text.startsWith(`${slash()} `) ? sendCommand(text) : api.reply(state.user, state.thread, text)),
});

/** Where unread messages began when the channel was opened. */
let since = null;
let working = null;

begin();

async function begin() {
  beginTheme();
  put($('channel-foot'), writer.node);
  put($('thread-foot'), answerer.node);
  listen({ channel, thread, writer, answerer });
  on('about', () => {
    if (!state.ready) return;
    drawSide();
    drawHeads();
    keepTimes();
    keepWorld();
  });
  on('messages', news);
  on('place', moved);
  on('read', drawSide);
  on('connection', drawConnection);
  feed.takeAbout(await reach());
  arrive();
  followAddress();
  since = readUntil(state.channel);
  await feed.begin().catch((error) => toast(error.message, 'critical'));
  state.ready = true;
  beginRead();
  since = since ?? readUntil(state.channel);
  writer.load();
  redraw();
  document.body.classList.add('ready');
  if (!matchMedia('(pointer: coarse)').matches && !state.thread) writer.focus();
  setInterval(() => {
    keepTimes();
    keepWorld();
  }, 10000);
  addEventListener('focus', seen);
}

/** The settings of the console; asked for until they come. */
async function reach() {
  for (let pause = 500; ; pause = Math.min(pause * 2 || 500, 8000)) {
    try {
      return await api.about();
    } catch (error) {
      if (error.status === 401) {
        await signIn();
        pause = 0;
        continue;
      }
      drawConnection(error.lost ? null : error.message, false);
      await new Promise((resolve) => setTimeout(resolve, pause));
    } finally {
      drawConnection(null, true);
    }
  }
}

function redraw() {
  drawSide();
  drawHeads();
  channel.draw(roots(), { since });
  drawThread();
  seen();
}

function news(changed) {
  if (!state.ready) return;
  const fresh = new Set(changed.map(({ message }) => message.id));
  channel.draw(roots(), { fresh, since });
  drawThread(fresh);
  announce(changed.filter(({ isNew }) => isNew).map(({ message }) => message));
  if (changed.some(({ message, isNew }) => isNew && message.channel === state.channel)) work(null);
  seen();
  drawSide();
}

function moved(what) {
  if (what.channel || what.user) {
    channel.reset();
    since = readUntil(state.channel);
    work(null);
  }
  if (what.channel) feed.follow();
  if (what.thread || what.user) thread.reset();
  if (what.channel || what.user) writer.load();
  // What one person was told alone is not left standing for the next.
  if (what.user) put($('announce'));
  redraw();
  if (what.thread && state.thread) answerer.focus();
  else if (what.thread) writer.focus();
}

function drawHeads() {
  const who = person(state.user);
  put(
    $('channel-head'),
    h('button', { type: 'button', class: 'round only-narrow', 'aria-label': 'Menu', onclick: openSide }, icon('menu')),
    h('h1', { id: 'channel-name' }, icon('hash'), state.channel),
    h(
      'button',
      {
        type: 'button',
        class: 'speaking only-narrow',
        'aria-label': `Speaking as ${who.name}. Change`,
        disabled: Boolean(state.about.you),
        onclick: () => openSwitcher('people'),
      },
      who.name,
      avatar(who.name),
    ),
    working && h('span', { class: 'working', role: 'status' }, 'Working on it'),
  );
  document.title = title();
}

function drawThread(fresh = new Set()) {
  const root = state.thread && state.messages.get(state.thread);
  const shown = Boolean(root && mayRead(root));
  const wasHidden = $('thread').hidden;
  $('thread').hidden = !shown;
  $('app').classList.toggle('with-thread', shown);
  if (!shown) return;
  if (wasHidden || answererFor !== `${state.user}/${state.thread}`) {
    answererFor = `${state.user}/${state.thread}`;
    answerer.load();
    put(
      $('thread-head'),
      h(
        'button',
        {
          type: 'button',
          class: 'round only-narrow',
          'aria-label': 'Back to the channel',
          onclick: () => go({ thread: null }),
        },
        icon('left'),
      ),
      h('h1', { id: 'thread-name' }, 'Thread', h('span', { class: 'context' }, `#${root.channel}`)),
      h(
        'span',
        { class: 'only-wide' },
        closeButton(() => go({ thread: null }), 'Close the thread'),
      ),
    );
  }
  thread.draw([root, ...replies(state.thread)], { fresh });
}
let answererFor = '';

async function sendCommand(text) {
  await api.command(state.user, state.channel, text);
  work(text);
}

async function run(text, button) {
  button.disabled = true;
  try {
    await sendCommand(text);
  } catch (error) {
    writer.write(text);
    writer.refuse(error.message);
  } finally {
    button.disabled = false;
  }
}

/** Says that an answer is on its way, until it comes. */
function work(text) {
  clearTimeout(working?.timer);
  working = text ? { timer: setTimeout(() => work(null), WORKING_FOR_AT_MOST) } : null;
  drawHeads();
}

/** What is on the screen of somebody who looks at it has been read. */
function seen() {
  if (!state.ready || document.hidden || !document.hasFocus()) {
    document.title = title();
    return;
  }
  markRead();
  document.title = title();
}

function title() {
  const n = state.about.channels.reduce((sum, name) => sum + unread(name), 0);
  return `${n > 0 ? `(${n}) ` : ''}#${state.channel} · Tidegate`;
}

function announce(messages) {
  const heard = messages.filter(
    (message) => mayRead(message) && message.author !== state.user && message.channel === state.channel,
  );
  if (heard.length > 0 && heard.length < 6)
    put(
      $('announce'),
      heard.map((message) => h('p', null, `${message.author}: ${firstWords(message)}`)),
    );
}

function drawConnection(reason = null, yes = state.connected) {
  const bar = $('connection');
  bar.hidden = yes;
  if (yes) return put(bar);
  put(
    bar,
    h('span', { class: 'dot' }),
    h('span', null, reason ? `${reason} Trying again.` : 'Connection lost, trying again. What you write is kept.'),
    h('button', { type: 'button', class: 'link', onclick: feed.tryNow }, 'Try now'),
  );
}
