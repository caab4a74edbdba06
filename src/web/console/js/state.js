// What the page knows: who speaks, where, and every message seen so far. Whoever changes it says so once.

import { moment } from './clock.js';

export const state = {
  about: { users: [], channels: [], services: [], environments: [], try: [], commands: [] },
  user: '',
  channel: '',
  /** Id of the message whose thread is open, or null. */
  thread: null,
  /** Message id → message. */
  messages: new Map(),
  /** Channel → the seq up to which its messages are known. */
  cursors: new Map(),
  connected: true,
  ready: false,
};

const ears = new Map();

/** Kinds: 'messages' (an array of the changed ones), 'place', 'about', 'connection', 'clock', 'read'. */
export function on(kind, ear) {
  if (!ears.has(kind)) ears.set(kind, []);
  ears.get(kind).push(ear);
}

export function say(kind, detail) {
  for (const ear of ears.get(kind) ?? []) ear(detail);
}

/** The messages of a channel outside threads that the present person may see, oldest first. */
export function roots(channel = state.channel) {
  return list((message) => message.channel === channel && !message.thread);
}

/** The messages in a thread, oldest first, without its root. */
export function replies(root) {
  return list((message) => message.thread === root);
}

/** Whether the present person may see a message: one that is for somebody else is not shown. */
export function mayRead(message) {
  return !message.for || message.for === state.user;
}

/** The person of this name, or a stand-in for the bot and for people who have left the settings. */
export function person(name) {
  return (
    state.about.users.find((user) => user.name === name) ?? { name, roles: [], kind: isApp(name) ? 'app' : 'member' }
  );
}

/** Whether an author is Tidegate itself. */
export function isApp(name) {
  return !name || name.toLowerCase() === 'tidegate' || name === state.about.bot;
}

/** `/deploy`, or what the settings call it. */
export function slash() {
  const given = state.about.command ?? state.about.try?.map(tryText)[0]?.split(/\s+/)[0];
  return given?.startsWith('/') ? given : given ? `/${given}` : '/deploy';
}

/** A suggestion is a text, or `{text, says}`. */
export function tryText(suggestion) {
  return typeof suggestion === 'string' ? suggestion : (suggestion?.text ?? '');
}

/** Remembered between visits; a browser that forbids it only forgets. */
export function recall(key, otherwise = null) {
  try {
    const text = localStorage.getItem(`tidegate.${key}`);
    return text === null ? otherwise : JSON.parse(text);
  } catch {
    return otherwise;
  }
}

export function remember(key, value) {
  try {
    if (value === null || value === '') localStorage.removeItem(`tidegate.${key}`);
    else localStorage.setItem(`tidegate.${key}`, JSON.stringify(value));
  } catch {
    // Nothing depends on it.
  }
}

function list(wanted) {
  const found = [];
  for (const message of state.messages.values()) if (wanted(message) && mayRead(message)) found.push(message);
  return found.sort(older);
}

/** By time of creation; where the server does not say it, by id (ids sort by time). */
export function older(a, b) {
  const left = moment(a.at);
  const right = moment(b.at);
  if (left !== null && right !== null && left !== right) return left - right;
  const [one, other] = [String(a.id), String(b.id)];
  if (/^\D{0,3}\d+$/.test(one) && /^\D{0,3}\d+$/.test(other))
    return Number(one.replace(/\D/g, '')) - Number(other.replace(/\D/g, ''));
  return one < other ? -1 : one > other ? 1 : 0;
}
