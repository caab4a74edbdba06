// Where people write: commands with completion and history, drafts that survive everything, refusals beside the words.

import { complete } from './completion.js';
import { h, put } from './element.js';
import { icon } from './icon.js';
import { recall, remember, slash } from './state.js';

const KEPT = 100;

/** A composer. `how`: {id, label, placeholder(), draftKey(), send(text) → promise, commands: offer the slash button}. */
export function composer(how) {
  let choice = -1;
  let offered = { from: 0, items: [], usage: null };
  let back = -1;
  let aside = '';

  const list = h('ul', {
    class: 'offers',
    role: 'listbox',
    id: `${how.id}-offers`,
    'aria-label': 'Completions',
    hidden: true,
  });
  const text = h('textarea', {
    id: `${how.id}-text`,
    rows: 1,
    'aria-label': how.label,
    autocomplete: 'off',
    autocapitalize: 'off',
    spellcheck: 'false',
    role: 'combobox',
    'aria-autocomplete': 'list',
    'aria-expanded': 'false',
    'aria-controls': `${how.id}-offers`,
    enterkeyhint: 'send',
  });
  const note = h('p', { class: 'note', role: 'alert' });
  const usage = h('p', { class: 'usage' });
  const send = h(
    'button',
    { type: 'submit', class: 'send', 'aria-label': 'Send', title: 'Send (Enter)' },
    icon('send'),
  );
  const begin =
    how.commands &&
    h(
      'button',
      { type: 'button', class: 'round', 'aria-label': 'Commands', title: 'Commands (/)', onclick: beginCommand },
      icon('slash'),
    );
  const node = h(
    'form',
    { class: 'composer', onsubmit: submit },
    list,
    note,
    h('div', { class: 'box' }, begin, text, send),
    usage,
  );

  text.addEventListener('input', () => {
    remember(how.draftKey(), text.value);
    back = -1;
    put(note);
    look();
  });
  text.addEventListener('keydown', key);
  text.addEventListener('click', look);
  text.addEventListener('blur', () => setTimeout(() => !node.contains(document.activeElement) && hide(), 120));
  return { node, load, write, focus: () => text.focus(), refuse: (says) => put(note, says) };

  /** Takes up the draft of the place that is now open. */
  function load() {
    text.value = recall(how.draftKey(), '') ?? '';
    text.placeholder = how.placeholder();
    put(note);
    hide();
    fit();
  }

  /** Puts words into the composer, ready to be changed or sent. */
  function write(words) {
    text.value = words;
    remember(how.draftKey(), words);
    text.focus();
    text.setSelectionRange(words.length, words.length);
    look();
  }

  function beginCommand() {
    write(text.value.startsWith('/') ? text.value : `${slash()} `);
  }

  async function submit(event) {
    event.preventDefault();
    const words = text.value.trim();
    if (!words || send.disabled) return;
    const key = how.draftKey();
    hide();
    send.disabled = true;
    node.setAttribute('aria-busy', 'true');
    try {
      await how.send(words);
      if (how.draftKey() === key && text.value.trim() === words) text.value = '';
      remember(key, null);
      remember('history', [words, ...recall('history', []).filter((each) => each !== words)].slice(0, KEPT));
      put(note);
    } catch (error) {
      put(note, error.lost ? 'Not sent: Tidegate cannot be reached. Your words are kept here.' : error.message);
    } finally {
      send.disabled = false;
      node.removeAttribute('aria-busy');
      back = -1;
      put(usage);
      fit();
    }
  }

  function key(event) {
    const open = !list.hidden;
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (open && choice >= 0) take(choice);
      else node.requestSubmit();
    } else if (event.key === 'Tab' && open && !event.shiftKey) {
      event.preventDefault();
      take(Math.max(choice, 0));
    } else if (
      open &&
      (event.key === 'ArrowDown' || event.key === 'ArrowUp') &&
      !(event.key === 'ArrowUp' && choice < 0 && !text.value)
    ) {
      event.preventDefault();
      const n = offered.items.length;
      highlight(event.key === 'ArrowDown' ? (choice + 1) % n : (choice <= 0 ? n : choice) - 1);
    } else if (event.key === 'ArrowUp' && (text.value === '' || back >= 0)) {
      event.preventDefault();
      older(1);
    } else if (event.key === 'ArrowDown' && back >= 0) {
      event.preventDefault();
      older(-1);
    } else if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      hide();
    }
  }

  function older(step) {
    const all = recall('history', []);
    if (back < 0) aside = text.value;
    back = Math.max(-1, Math.min(all.length - 1, back + step));
    text.value = back < 0 ? aside : all[back];
    remember(how.draftKey(), text.value);
    text.setSelectionRange(text.value.length, text.value.length);
    hide();
    fit();
  }

  function look() {
    fit();
    offered = complete(text.value, text.selectionStart ?? text.value.length);
    const known = offered.usage;
    put(usage, known && [h('code', null, known.usage), ' ', known.says]);
    choice = -1;
    if (offered.items.length === 0 || document.activeElement !== text) return hide();
    put(
      list,
      offered.items.map((item, i) =>
        h(
          'li',
          {
            role: 'option',
            id: `${how.id}-offer-${i}`,
            'aria-selected': 'false',
            onpointerdown: (event) => {
              event.preventDefault();
              take(i);
            },
          },
          h('span', { class: 'what' }, item.text),
          h('span', { class: 'says' }, item.says),
        ),
      ),
    );
    list.hidden = false;
    list.scrollTop = 0;
    text.setAttribute('aria-expanded', 'true');
  }

  function highlight(i) {
    choice = i;
    [...list.children].forEach((child, at) => child.setAttribute('aria-selected', String(at === i)));
    list.children[i]?.scrollIntoView({ block: 'nearest' });
    text.setAttribute('aria-activedescendant', `${how.id}-offer-${i}`);
  }

  function take(i) {
    const item = offered.items[i];
    if (!item) return;
    const caret = text.selectionStart;
    const after = text.value.slice(caret);
    const word = /\s/.test(item.text) && !item.text.startsWith('/') ? `"${item.text}"` : item.text;
    text.value = `${text.value.slice(0, offered.from)}${word} ${after.replace(/^\s+/, '')}`;
    const at = offered.from + word.length + 1;
    text.setSelectionRange(at, at);
    remember(how.draftKey(), text.value);
    look();
  }

  function hide() {
    list.hidden = true;
    choice = -1;
    text.setAttribute('aria-expanded', 'false');
    text.removeAttribute('aria-activedescendant');
  }

  function fit() {
    text.style.setProperty('height', 'auto');
    text.style.setProperty('height', `${Math.min(text.scrollHeight, 180)}px`);
  }
}
