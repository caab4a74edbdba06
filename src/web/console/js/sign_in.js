// Signing in where each person has a token of their own: name and token once, then a session that no script can read.

import * as api from './api.js';
import { h, put } from './element.js';
import { logo } from './icon.js';
import { recall, remember } from './state.js';

/** Shows the form and stays until somebody is signed in. */
export function signIn() {
  return new Promise((resolve) => {
    const name = h('input', {
      type: 'text',
      id: 'sign-in-name',
      name: 'name',
      autocomplete: 'username',
      autocapitalize: 'none',
      spellcheck: 'false',
      required: true,
    });
    const token = h('input', {
      type: 'password',
      id: 'sign-in-token',
      name: 'token',
      autocomplete: 'current-password',
      required: true,
    });
    const error = h('p', { class: 'error', role: 'alert' });
    const button = h('button', { type: 'submit', class: 'button primary' }, 'Sign in');
    const box = h(
      'dialog',
      { class: 'sign-in', 'aria-labelledby': 'sign-in-title' },
      h(
        'form',
        { method: 'post', onsubmit: send },
        h('h1', { id: 'sign-in-title' }, logo(), 'Sign in to Tidegate'),
        h('div', { class: 'field' }, h('label', { for: 'sign-in-name' }, 'Name'), name),
        h('div', { class: 'field' }, h('label', { for: 'sign-in-token' }, 'Token'), token),
        error,
        button,
      ),
    );
    // There is nothing behind it to go back to.
    box.addEventListener('cancel', (event) => event.preventDefault());
    name.value = recall('signed-in-as', '') ?? '';
    document.body.append(box);
    box.showModal();
    (name.value ? token : name).focus();

    async function send(event) {
      event.preventDefault();
      if (button.disabled) return;
      button.disabled = true;
      put(error);
      try {
        const { user } = await api.signIn(name.value, token.value);
        remember('signed-in-as', user);
        box.close();
        box.remove();
        resolve();
      } catch (refusal) {
        put(error, refusal.message);
        token.value = '';
        token.focus();
      } finally {
        button.disabled = false;
      }
    }
  });
}

/** Ends the session; the page begins anew, without what it knew. */
export async function signOut() {
  await api.signOut();
  location.reload();
}
