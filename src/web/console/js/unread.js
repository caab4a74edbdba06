// What the present person has not seen yet, channel by channel.

import { moment } from './clock.js';
import { mayRead, recall, remember, say, state } from './state.js';

/** How many messages of a channel came since it was last looked at. Edits do not count: quiet is a promise. */
export function unread(channel) {
  const since = readUntil(channel);
  if (since === null) return 0;
  let n = 0;
  for (const message of state.messages.values()) if (message.channel === channel && isNewer(message, since)) n += 1;
  return n;
}

/** The moment until which a channel was read; null when it never was. */
export function readUntil(channel) {
  return recall(`read.${state.user}.${channel}`);
}

/** Everything in the channel has been seen. */
export function markRead(channel = state.channel) {
  let last = readUntil(channel) ?? 0;
  for (const message of state.messages.values()) if (message.channel === channel) last = Math.max(last, age(message));
  if (last === readUntil(channel)) return;
  remember(`read.${state.user}.${channel}`, last);
  say('read');
}

/** The first visit begins with nothing unread. */
export function beginRead() {
  for (const channel of state.about.channels) if (readUntil(channel) === null) markRead(channel);
}

function isNewer(message, since) {
  return mayRead(message) && message.author !== state.user && age(message) > since;
}

/** When a message was made; its seq where the server does not say. */
function age(message) {
  return moment(message.at) ?? message.seq;
}
