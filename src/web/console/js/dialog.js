// Dialogs above everything else: a picture in full size, the list of keys.

import { h } from './element.js';
import { icon } from './icon.js';

const KEYS = [
  [
    'Move',
    [['j', 'k'], 'next and previous message'],
    [['t'], 'open the thread'],
    [['Esc'], 'close what is open'],
    [['Ctrl', 'K'], 'go to a channel, person or thread'],
    [['Alt', '↑', '↓'], 'previous and next channel'],
  ],
  [
    'Answer',
    [['/'], 'write a command'],
    [['r'], 'react'],
    [['1', '…', '7'], 'choose a reaction'],
    [['b'], 'first button or field'],
    [['x'], 'unfold the details'],
  ],
  ['Write', [['Enter'], 'send'], [['Shift', 'Enter'], 'new line'], [['Tab'], 'complete'], [['↑'], 'earlier commands']],
];

/** A dialog that closes by Esc, by its button and by a click beside it. */
export function dialog(className, label, ...content) {
  const box = h('dialog', { class: className, 'aria-label': label }, content);
  box.addEventListener('click', (event) => event.target === box && box.close());
  box.addEventListener('close', () => box.remove());
  document.body.append(box);
  box.showModal();
  return box;
}

/** A picture as large as the window allows, with its words below. */
export function enlarge(images, alt) {
  const box = dialog(
    'lightbox',
    'Picture',
    closeButton(() => box.close()),
    h('figure', null, images, alt && h('figcaption', null, alt)),
  );
}

export function showKeys() {
  if (document.querySelector('dialog.keys')) return;
  const box = dialog(
    'keys',
    'Keyboard shortcuts',
    h(
      'header',
      null,
      h('h2', null, 'Keyboard'),
      closeButton(() => box.close()),
    ),
    KEYS.map(([group, ...rows]) =>
      h(
        'section',
        null,
        h('h3', null, group),
        h(
          'dl',
          null,
          rows.map(([keys, says]) =>
            h(
              'div',
              null,
              h(
                'dt',
                null,
                keys.map((key) => (key === '…' ? ' … ' : h('kbd', null, key))),
              ),
              h('dd', null, says),
            ),
          ),
        ),
      ),
    ),
  );
}

export function closeButton(onclick, label = 'Close') {
  return h('button', { type: 'button', class: 'round', 'aria-label': label, title: label, onclick }, icon('close'));
}
