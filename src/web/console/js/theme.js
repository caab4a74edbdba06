// Light, dark, or as the system has it.

import { recall, remember } from './state.js';
import { asked } from './place.js';

const dark = matchMedia('(prefers-color-scheme: dark)');
let choice = 'auto';

export function beginTheme() {
  choice = ['light', 'dark'].includes(asked('theme')) ? asked('theme') : recall('theme', 'auto');
  dark.addEventListener('change', apply);
  apply();
}

export function theme() {
  return choice;
}

/** From auto to light to dark and back. */
export function turnTheme() {
  choice = { auto: 'light', light: 'dark', dark: 'auto' }[choice] ?? 'auto';
  remember('theme', choice);
  apply();
}

function apply() {
  const look = choice === 'auto' ? (dark.matches ? 'dark' : 'light') : choice;
  document.documentElement.dataset.look = look;
  document.documentElement.style.setProperty('color-scheme', choice === 'auto' ? 'light dark' : choice);
}
