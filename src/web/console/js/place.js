// Where one is: channel, person, open thread. Kept in the address, so that it can be shared and gone back to.

import { recall, remember, say, state } from './state.js';

/** Takes the place from the address, then from the last visit, then the first there is. */
export function arrive() {
  const asked = read();
  const { users, channels, you } = state.about;
  const name = you ?? asked.get('user') ?? recall('user');
  state.user = users.some((user) => user.name === name)
    ? name
    : (users.find((user) => user.kind === 'member')?.name ?? users[0]?.name ?? '');
  const channel = asked.get('channel') ?? recall('channel');
  state.channel = channels.includes(channel) ? channel : (channels[0] ?? '');
  state.thread = asked.get('thread');
}

/** Goes somewhere: any of channel, thread (null closes it), user. */
export function go(to) {
  const before = { ...state };
  if (to.channel !== undefined && to.channel !== state.channel) {
    state.channel = to.channel;
    if (to.thread === undefined) state.thread = null;
  }
  if (to.thread !== undefined) state.thread = to.thread;
  if (to.user !== undefined && !state.about.you) state.user = to.user;
  if (before.channel === state.channel && before.thread === state.thread && before.user === state.user) return;
  remember('user', state.user);
  remember('channel', state.channel);
  write(before.channel !== state.channel || before.thread !== state.thread);
  say('place', {
    channel: before.channel !== state.channel,
    thread: before.thread !== state.thread,
    user: before.user !== state.user,
  });
}

/** Follows the browser's own back and forward. */
export function followAddress() {
  addEventListener('popstate', () => {
    const asked = read();
    const before = { ...state };
    const channel = asked.get('channel');
    if (state.about.channels.includes(channel)) state.channel = channel;
    state.thread = asked.get('thread');
    const user = asked.get('user');
    if (!state.about.you && state.about.users.some((each) => each.name === user)) state.user = user;
    say('place', {
      channel: before.channel !== state.channel,
      thread: before.thread !== state.thread,
      user: before.user !== state.user,
    });
  });
  write(false);
}

/** A setting of the address that is not a place, such as the theme. */
export function asked(name) {
  return read().get(name);
}

function read() {
  return new URLSearchParams(location.hash.slice(1));
}

function write(step) {
  const hash = new URLSearchParams({ channel: state.channel, user: state.user });
  if (state.thread) hash.set('thread', state.thread);
  history[step ? 'pushState' : 'replaceState'](null, '', `#${hash}`);
}
