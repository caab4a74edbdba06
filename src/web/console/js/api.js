// The console's JSON API, one function per call. Each answers with the parsed body or throws one sentence.

/** What a call refused or could not do; `lost` when the server was not reached at all. */
export class Refusal extends Error {
  constructor(message, { lost = false, status = 0 } = {}) {
    super(message);
    this.lost = lost;
    this.status = status;
  }
}

export const about = (signal) => get('about', {}, signal);
export const messages = (channel, after, wait, signal) =>
  get('messages', { channel, after, wait: wait || null }, signal);
export const signIn = (user, token) => post('sign-in', { user, token });
export const signOut = () => post('sign-out', {});
export const command = (user, channel, text) => post('command', { user, channel, text });
export const reply = (user, thread, text) => post('reply', { user, thread, text });
export const react = (user, message, reaction, remove) => post('react', { user, message, reaction, remove });
export const press = (user, message, button) => post('press', { user, message, button });
export const submit = (user, form, values) => post('submit', { user, form, values });
export const advance = (seconds) => post('advance', { seconds });
/** A fault of the sample world; its own path where the server names one. */
export const world = (id, path) => post(path?.startsWith('/') ? path : 'world', { id });

function get(name, query, signal) {
  const url = new URL(`/console/api/${name}`, location.origin);
  for (const [key, value] of Object.entries(query)) if (value !== null) url.searchParams.set(key, value);
  return call(url, { signal });
}

function post(name, body) {
  return call(new URL(name.startsWith('/') ? name : `/console/api/${name}`, location.origin), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}

async function call(url, options) {
  let answer;
  try {
    answer = await fetch(url, { credentials: 'same-origin', cache: 'no-store', ...options });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Refusal('Tidegate cannot be reached.', { lost: true });
  }
  let body = null;
  try {
    body = await answer.json();
  } catch (error) {
    if (error.name === 'AbortError') throw error;
  }
  // A form's errors stand beside its fields; they are an answer, whatever the status.
  if (body?.errors) return body;
  if (answer.ok && body !== null) return body;
  const says = typeof body?.error?.message === 'string' ? body.error.message : null;
  // The session ended while the page was open: it begins anew, with the form. Drafts are kept.
  if (answer.status === 401 && document.body.classList.contains('ready')) location.reload();
  if (says) throw new Refusal(says, { status: answer.status });
  const lost = answer.status >= 502 && answer.status <= 504;
  throw new Refusal(`Tidegate answered ${answer.status} without a reason.`, { lost, status: answer.status });
}
