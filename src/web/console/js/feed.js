// Keeps the messages coming: the open channel by long poll, the others now and then, and patience when the line is cut.

import * as api from './api.js';
import { setNow, setZone } from './clock.js';
import { say, state } from './state.js';

const WAIT = 30;
const OTHERS = 4000;
const LONGEST_PAUSE = 15000;

let following = null;
let pauseOver = null;

/** Reads every channel once, then follows. */
export async function begin() {
  await readAgain();
  follow();
  lookAround();
  addEventListener('online', tryNow);
}

/** Follows the channel that is open now. */
export function follow() {
  following?.abort();
  following = new AbortController();
  keepFollowing(state.channel, following.signal);
}

/** Ends the pause between two tries. */
export function tryNow() {
  pauseOver?.();
}

/** Asks at once for what happened in all channels, after something was sent there. */
export async function refresh() {
  await Promise.allSettled(state.about.channels.map((channel) => read(channel, 0)));
}

async function keepFollowing(channel, signal) {
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (failures > 0) await readAgain();
      const before = performance.now();
      await read(channel, failures > 0 ? 0 : WAIT, signal);
      failures = 0;
      connected(true);
      // A server that does not wait must not be asked a thousand times a second.
      if (performance.now() - before < 50) await sleep(250, signal);
    } catch (error) {
      if (signal.aborted || error.name === 'AbortError') return;
      failures += 1;
      connected(false, error.lost ? null : error.message);
      await sleep(Math.min(LONGEST_PAUSE, 500 * 2 ** failures), signal);
    }
  }
}

/** The channels that are not open: a short question every few seconds, rarer while nobody looks. */
async function lookAround() {
  for (;;) {
    await sleep(document.hidden ? OTHERS * 5 : OTHERS);
    if (!state.connected) continue;
    for (const channel of state.about.channels) {
      if (channel === state.channel) continue;
      await read(channel, 0).catch(() => {});
    }
  }
}

/** After an interruption the server may be another one: its settings and messages are read from the start. */
async function readAgain() {
  const about = await api.about();
  const same = state.about.instance === about.instance;
  takeAbout(about);
  if (!same || state.messages.size === 0) {
    state.messages.clear();
    state.cursors.clear();
  }
  await Promise.all(state.about.channels.map((channel) => read(channel, 0)));
}

export function takeAbout(about) {
  const list = (value) => (Array.isArray(value) ? value : []);
  state.about = {
    ...about,
    users: list(about.users).map((user) => ({ ...user, roles: list(user.roles), kind: user.kind ?? 'member' })),
    channels: list(about.channels),
    services: list(about.services),
    environments: list(about.environments),
    try: list(about.try),
    commands: list(about.commands),
  };
  setNow(about.now);
  // In `try` the world has its own clock, and one time for everything is the least confusing.
  setZone(about.mode === 'try' ? about.zone : undefined);
  say('about');
}

async function read(channel, wait, signal) {
  const after = state.cursors.get(channel) ?? 0;
  const answer = await api.messages(channel, after, wait, signal);
  setNow(answer.now);
  if (answer.seq < after) {
    // The server counts from a lower number than ours: it began anew.
    for (const [id, message] of state.messages) if (message.channel === channel) state.messages.delete(id);
    state.cursors.set(channel, 0);
    say('messages', []);
    return;
  }
  const changed = [];
  for (const message of Array.isArray(answer.messages) ? answer.messages : []) {
    const known = state.messages.get(message.id);
    if (known && known.seq >= message.seq) continue;
    state.messages.set(message.id, message);
    changed.push({ message, isNew: !known });
  }
  // A slower answer to an earlier question must not turn the count back.
  state.cursors.set(channel, Math.max(state.cursors.get(channel) ?? 0, answer.seq ?? 0));
  if (changed.length > 0 || after === 0) say('messages', changed);
}

function connected(yes, reason = null) {
  if (state.connected === yes && !reason) return;
  state.connected = yes;
  say('connection', reason);
}

function sleep(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done() {
      clearTimeout(timer);
      resolve();
    }
    if (signal) {
      pauseOver = done;
      signal.addEventListener('abort', done, { once: true });
    }
  });
}
