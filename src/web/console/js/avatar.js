// A face for everybody: initials on a calm colour of their own, and Tidegate's sign for Tidegate.

import { h } from './element.js';
import { logo } from './icon.js';
import { isApp } from './state.js';

const HUES = 8;

/** The face of `name`. */
export function avatar(name) {
  if (isApp(name)) return h('span', { class: 'avatar sign', 'aria-hidden': 'true' }, logo());
  let sum = 0;
  for (const letter of name) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return h('span', { class: `avatar hue-${sum % HUES}`, 'aria-hidden': 'true' }, initials(name));
}

/** How an author is called on the page. */
export function called(name) {
  return isApp(name) ? 'Tidegate' : name;
}

function initials(name) {
  const words = name.split(/[\s._-]+/).filter(Boolean);
  const letters = words.length > 1 ? words[0][0] + words[1][0] : [...name].slice(0, 2).join('');
  return letters.toUpperCase();
}
