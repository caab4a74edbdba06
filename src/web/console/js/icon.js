// Every sign that the console draws. Shape carries the meaning, colour only repeats it; none depends on a font.
// Drawn on a 20 × 20 grid. `solid` fills with the sign's colour, `cut` draws on top in the colour of the ground.

import { s } from './element.js';

const OCTAGON = 'M6.9 2.5h6.2l4.4 4.4v6.2l-4.4 4.4H6.9l-4.4-4.4V6.9Z';
const TRIANGLE = 'M8.9 3.1a1.3 1.3 0 0 1 2.2 0l6.7 11.6a1.3 1.3 0 0 1-1.1 1.9H3.3a1.3 1.3 0 0 1-1.1-1.9Z';
const RING = 'M10 2.6a7.4 7.4 0 1 1 0 14.8a7.4 7.4 0 0 1 0-14.8Z';
const PULSE = 'M2.5 10.4h3.4l2-4.9 3.6 9.2 2.1-4.3h3.9';
const HAND =
  'M5.6 11.4V6.6a1.1 1.1 0 0 1 2.2 0V9.6V4.1a1.1 1.1 0 0 1 2.2 0v5.3V3.7a1.1 1.1 0 0 1 2.2 0v5.9V5.7' +
  'a1.1 1.1 0 0 1 2.2 0v6.2c0 3.4-1.8 5.6-4.9 5.6-2.3 0-3.6-1-4.8-2.9L2.9 11.9a1.1 1.1 0 0 1 1.8-1.2Z';
const ROCKET =
  'M10 2.2c2.9 2 4 4.8 4 8.3l-1.6 2.6H7.6L6 10.5c0-3.5 1.1-6.3 4-8.3ZM6 10.2l-2.2 2.4v3l3.3-1.9M14 10.2l2.2 2.4v3' +
  'l-3.3-1.9M10 15.2v2.6';
const EYE = 'M1.9 10c2.2-3.7 4.9-5.5 8.1-5.5s5.9 1.8 8.1 5.5c-2.2 3.7-4.9 5.5-8.1 5.5s-5.9-1.8-8.1-5.5Z';

const DRAWN = {
  // Levels and marks of a line.
  critical: { solid: [OCTAGON], cut: ['M6.2 10h7.6'] },
  caution: { solid: [TRIANGLE], cut: ['M10 7.2v4', 'M10 13.6v.1'] },
  info: { line: [RING, 'M10 9.2v4.4', 'M10 6.4v.1'] },
  pass: { line: [RING, 'M6.7 10.2l2.3 2.3 4.4-4.9'] },
  unknown: { dash: [RING], line: ['M7.9 8a2.15 2.15 0 1 1 3.1 1.9c-.7.4-1 .8-1 1.5', 'M10 13.7v.1'] },
  window: { line: [RING, 'M10 5.8V10l2.9 1.8'] },
  approve: { solid: [RING], cut: ['M6.5 10.3l2.5 2.5 4.6-5.2'] },
  object: { solid: [RING], cut: ['M6 10h8'] },
  hold: { line: [HAND] },
  start: { line: [ROCKET] },
  finish: { line: ['M4.6 17.6V2.8'], solid: ['M4.6 3.4h10.9l-2.1 3.5 2.1 3.5H4.6Z'] },
  back: { solid: ['M9.7 4.8v10.4L2.8 10ZM17 4.8v10.4L10.1 10Z'] },
  watch: { line: [EYE, 'M10 7.6a2.4 2.4 0 1 1 0 4.8a2.4 2.4 0 0 1 0-4.8Z'] },
  alert: { solid: [RING], cut: ['M4.5 10.4h2.2l1.4-3.2 2.5 6 1.5-2.8h3.2'] },
  recovered: { line: [RING, 'M4.8 10.6h1.9l1.4-3 2.4 4.8 1.4-1.8h3.2'] },
  note: { line: ['M4 16l.7-3.2 8.2-8.2a1.55 1.55 0 0 1 2.2 0l.3.3a1.55 1.55 0 0 1 0 2.2L7.2 15.3Z'] },
  // The page's own.
  hash: { line: ['M7.6 3.5 5.9 16.5', 'M14.1 3.5 12.4 16.5', 'M3.8 7.6h13', 'M3.2 12.4h13'] },
  close: { line: ['M5 5l10 10', 'M15 5 5 15'] },
  menu: { line: ['M3.5 6h13', 'M3.5 10h13', 'M3.5 14h13'] },
  out: { line: ['M8 3.5H4.5v13H8', 'M8.5 10h8', 'M13.2 6.5 16.7 10l-3.5 3.5'] },
  left: { line: ['M12 4.5 6.5 10l5.5 5.5'] },
  down: { line: ['M4.5 8 10 13.5 15.5 8'] },
  send: { solid: ['M3 16.9 17.6 10 3 3.1l1.9 5.6 6.1 1.3-6.1 1.3Z'] },
  react: {
    line: [
      'M16.9 8.5A7.2 7.2 0 1 1 11.2 2.9',
      'M7.3 11.7c1.5 1.9 3.9 1.9 5.4 0',
      'M7.6 7.9v.1',
      'M12.2 7.9v.1',
      'M15.6 1.8v4.4',
      'M13.4 4h4.4',
    ],
  },
  thread: { line: ['M3 4.2h14v9.3H9.3l-3.7 3v-3H3Z', 'M6.3 7.5h7.4', 'M6.3 10.2h4.6'] },
  sun: {
    line: [
      'M10 6.6a3.4 3.4 0 1 1 0 6.8a3.4 3.4 0 0 1 0-6.8Z',
      'M10 1.8v1.6M10 16.6v1.6M1.8 10h1.6M16.6 10h1.6',
      'M4.2 4.2l1.1 1.1M14.7 14.7l1.1 1.1M4.2 15.8l1.1-1.1M14.7 5.3l1.1-1.1',
    ],
  },
  moon: { line: ['M16.8 11.9A7.2 7.2 0 0 1 8.1 3.2a7.2 7.2 0 1 0 8.7 8.7Z'] },
  auto: { line: [RING], solid: ['M10 2.6a7.4 7.4 0 0 1 0 14.8Z'] },
  keys: { line: ['M2.5 5.5h15v9h-15Z', 'M5.5 8.5v.1M8.5 8.5v.1M11.5 8.5v.1M14.5 8.5v.1', 'M6.5 11.6h7'] },
  search: { line: ['M8.8 3.5a5.3 5.3 0 1 1 0 10.6a5.3 5.3 0 0 1 0-10.6Z', 'M12.8 12.8l3.7 3.7'] },
  private: {
    line: ['M2.8 10c2-3.3 4.4-5 7.2-5s5.2 1.7 7.2 5c-2 3.3-4.4 5-7.2 5s-5.2-1.7-7.2-5Z', 'M3.8 16.8 16.2 3.2'],
  },
  slash: { line: ['M7.5 16.5l5-13'] },
  world: { line: [RING, 'M10 5.4V10l-2.6 2.2'] },
  fault: { line: [PULSE] },
  pulse: { line: [PULSE] },
};

/** The console's drawing of each reaction that Tidegate knows, with the word it stands for. */
export const REACTIONS = {
  white_check_mark: { icon: 'approve', says: 'Approve', tone: 'good', emoji: '✅' },
  no_entry: { icon: 'object', says: 'Object', tone: 'critical', emoji: '⛔' },
  raised_hand: { icon: 'hold', says: 'Hold', tone: 'caution', emoji: '✋' },
  rocket: { icon: 'start', says: 'Start', tone: 'accent', emoji: '🚀' },
  checkered_flag: { icon: 'finish', says: 'Finished', tone: 'accent', emoji: '🏁' },
  rewind: { icon: 'back', says: 'Rolled back', tone: 'caution', emoji: '⏪' },
  eyes: { icon: 'watch', says: 'Watching', tone: 'accent', emoji: '👀' },
};

/** What screen readers say for a mark. */
export const MARK_WORDS = {
  critical: 'Critical',
  caution: 'Caution',
  info: 'Note',
  pass: 'Clear',
  unknown: 'Unknown',
  window: 'Window',
  approve: 'Approved',
  object: 'Objected',
  hold: 'On hold',
  start: 'Started',
  finish: 'Finished',
  back: 'Rolled back',
  watch: 'Watching',
  alert: 'Alert',
  recovered: 'Recovered',
  note: 'Remark',
};

/** The emoji of plain sentences and the sign that is drawn for each. */
export const EMOJI = {
  '⛔': 'critical',
  '⚠': 'caution',
  'ℹ': 'info',
  '✅': 'approve',
  '❔': 'unknown',
  '🕗': 'window',
  '✋': 'hold',
  '🚀': 'start',
  '🏁': 'finish',
  '⏪': 'back',
  '👀': 'watch',
  '🔴': 'alert',
  '🟢': 'recovered',
  '📝': 'note',
};

/** An icon by name; decoration unless `label` is given. */
export function icon(name, { label, extra } = {}) {
  const drawn = DRAWN[name] ?? DRAWN.info;
  const parts = [
    ...(drawn.solid ?? []).map((d) => s('path', { d, class: 'solid' })),
    ...(drawn.dash ?? []).map((d) => s('path', { d, class: 'line dash' })),
    ...(drawn.line ?? []).map((d) => s('path', { d, class: 'line' })),
    ...(drawn.cut ?? []).map((d) => s('path', { d, class: 'cut' })),
  ];
  const props = { viewBox: '0 0 20 20', class: `icon ${extra ?? ''}` };
  if (label) return s('svg', { ...props, role: 'img', 'aria-label': label }, parts);
  return s('svg', { ...props, 'aria-hidden': 'true' }, parts);
}

/** Tidegate's own sign: a gate above a wave. */
export function logo() {
  return s(
    'svg',
    { viewBox: '0 0 32 32', class: 'logo', 'aria-hidden': 'true' },
    s('rect', { width: 32, height: 32, rx: 8, class: 'ground' }),
    s('path', { d: 'M9 6.5v11.5M16 6.5v11.5M23 6.5v11.5', class: 'bars' }),
    s('path', { d: 'M5 23.5c3.7-3.4 7.3-3.4 11 0s7.3 3.4 11 0', class: 'wave' }),
  );
}
