// The blocks of a neutral message. A kind that this page does not know makes it fall back to the plain text.

import { h, safePicture } from './element.js';
import { enlarge } from './dialog.js';
import { fold, line, lines, scoreBar } from './line.js';

const LEVELS = new Set(['info', 'good', 'caution', 'critical']);

const KINDS = {
  title: (block) =>
    h(
      'div',
      { class: `title ${LEVELS.has(block.level) ? `level-${block.level}` : ''}` },
      h('h3', null, block.text),
      block.context && h('p', { class: 'context' }, block.context),
    ),
  line,
  list: (block, memory) => lines(block, memory.open(), memory.toggle),
  facts: (block) =>
    h(
      'dl',
      { class: 'facts' },
      (block.pairs ?? []).map(([name, value]) => h('div', null, h('dt', null, name), h('dd', null, value))),
    ),
  quote: (block) => h('blockquote', null, block.text),
  code: (block, memory) => {
    const text = h('pre', { tabindex: 0 }, h('code', null, block.text));
    return block.says ? fold('code', block.says, memory.open(), memory.toggle, text) : text;
  },
  picture,
  score: (block) =>
    h(
      'div',
      { class: 'score-line' },
      h('strong', null, block.says ?? `Risk ${block.value} of 100${block.band ? `, ${block.band}` : ''}`),
      scoreBar(block.value, block.band),
    ),
  divider: () => h('hr', null),
};

/** What a message says, as elements. */
export function body(message, folds) {
  const blocks = message.message?.blocks;
  const known = Array.isArray(blocks) && blocks.length > 0 && blocks.every((block) => KINDS[block?.kind]);
  const parts = known
    ? blocks.map((block, i) => KINDS[block.kind](block, memory(`${message.id}/${i}`, folds)))
    : hasForm(message)
      ? []
      : [h('p', { class: 'plain' }, message.text ?? '')];
  if (message.image && !(known && blocks.some((block) => block.kind === 'picture'))) {
    parts.push(picture({ light: message.image, alt: '' }));
  }
  return parts.filter(Boolean);
}

/** Whether a message is a line or two, so that it needs no card around it. */
export function isSlight(message) {
  const content = message.message;
  if (hasForm(message) || content?.buttons?.length || message.image) return false;
  return (content?.blocks ?? []).every((block) => block?.kind === 'line' || block?.kind === 'quote');
}

/** A form says itself what it is for. */
function hasForm(message) {
  return Boolean(message.form ?? message.message?.form);
}

/** A drawing for light and one for dark; the one that is not shown is not fetched. */
function picture(block) {
  const light = safePicture(block.light);
  const dark = safePicture(block.dark) ?? light;
  if (!light && !dark) return block.alt ? h('p', { class: 'plain' }, block.alt) : null;
  const one = (source, look) => {
    const image = h('img', { class: look, src: source, alt: block.alt ?? '', loading: 'lazy', decoding: 'async' });
    image.addEventListener('error', () =>
      image.replaceWith(h('span', { class: `lost ${look}` }, block.alt || 'The picture could not be loaded.')),
    );
    return image;
  };
  const both =
    light === dark || !light || !dark ? [one(dark ?? light, '')] : [one(light, 'on-light'), one(dark, 'on-dark')];
  return h(
    'button',
    {
      type: 'button',
      class: 'picture',
      'aria-label': `Enlarge the picture. ${block.alt ?? ''}`,
      onclick: () =>
        enlarge(
          both.map((image) => image.cloneNode()),
          block.alt,
        ),
    },
    both,
  );
}

function memory(key, folds) {
  return { open: () => folds.has(key), toggle: (open) => (open ? folds.add(key) : folds.delete(key)) };
}
