// The first screen: what this is, what to type, and what comes after.

import { h } from './element.js';
import { icon, logo } from './icon.js';
import { hasWorld } from './world.js';
import { slash, state, tryText } from './state.js';

/** What stands above a channel's first message. `write` puts a command into the composer, `run` sends it. */
export function welcome(isEmpty, { write, run }) {
  const suggestions = state.about.try
    .map((each) => ({ text: tryText(each), says: each.says }))
    .filter((each) => each.text);
  const key = [isEmpty, state.channel, JSON.stringify(suggestions), hasWorld()].join('|');
  const node = isEmpty ? first(suggestions, write, run) : begun(suggestions, write, run);
  node.dataset.key = key;
  return node;
}

function first(suggestions, write, run) {
  return h(
    'section',
    { class: 'welcome', 'aria-label': 'Welcome' },
    logo(),
    h('h2', null, 'Plan a deployment'),
    h(
      'p',
      { class: 'lead' },
      'Tidegate gathers what is known, names what could go wrong, and suggests when. People decide.',
    ),
    suggestions.length > 0
      ? tries(suggestions, write, run)
      : h('p', null, 'Type ', h('code', null, `${slash()} help`), ' to see what it understands.'),
    h(
      'ol',
      { class: 'next' },
      steps().map(([what, says]) => h('li', null, h('strong', null, what), h('span', null, says))),
    ),
  );
}

function begun(suggestions, write, run) {
  return h(
    'section',
    { class: 'begun' },
    h('p', null, 'This is the beginning of ', h('strong', null, `#${state.channel}`), '.'),
    suggestions.length > 0 &&
      h(
        'details',
        { class: 'fold' },
        h('summary', null, icon('down', { extra: 'turn' }), 'What to try'),
        tries(suggestions, write, run),
      ),
  );
}

function tries(suggestions, write, run) {
  return h(
    'ul',
    { class: 'tries' },
    suggestions.map(({ text, says }) =>
      h(
        'li',
        null,
        h(
          'button',
          {
            type: 'button',
            class: 'try',
            dataset: { try: text },
            title: 'Put it into the composer',
            onclick: () => write(text),
          },
          h('code', null, words(text)),
          says && h('span', { class: 'says' }, says),
        ),
        h(
          'button',
          {
            type: 'button',
            class: 'run',
            'aria-label': `Run ${text}`,
            onclick: (event) => run(text, event.currentTarget),
          },
          'Run',
        ),
      ),
    ),
  );
}

/** Lines break between words, never inside an option. */
function words(text) {
  return text.split(' ').flatMap((word, i) => [i > 0 && ' ', h('span', { class: 'word' }, word)]);
}

function steps() {
  return [
    ['Ask', 'Run a command above, or type one. The brief comes in a few seconds.'],
    ['Read', 'Open its thread for the evidence, the next good windows and the approval card.'],
    ['Approve', 'Speak as somebody else, and react on the card.'],
    hasWorld()
      ? ['Watch', 'Start it, make the sample service misbehave, and move the clock on.']
      : ['Watch', 'Start it. Tidegate watches and speaks up in the thread.'],
  ];
}
