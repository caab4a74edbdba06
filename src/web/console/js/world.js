// The sample world, in `try`: its clock, which can be moved, and the faults that its sample service can be given.

import * as api from './api.js';
import { dayAndHour, now, secondsUntil } from './clock.js';
import { h, put } from './element.js';
import { takeAbout, refresh } from './feed.js';
import { icon } from './icon.js';
import { state } from './state.js';
import { toast } from './toast.js';

const STEPS = [
  [600, '10 min'],
  [3600, '1 h'],
  [86400, '1 day'],
];

/** Whether there is a world to move. */
export function hasWorld() {
  return state.about.mode === 'try' || (Array.isArray(state.about.world) && state.about.world.length > 0);
}

/** The panel. */
export function world() {
  const until = h('input', {
    type: 'text',
    inputmode: 'numeric',
    placeholder: '10:00',
    'aria-label': 'Until what time of day',
    maxlength: 5,
    size: 5,
    dataset: { focus: 'until' },
  });
  const faults = Array.isArray(state.about.world) ? state.about.world : [];
  const panel = h(
    'section',
    { class: 'world', 'aria-label': 'The sample world' },
    h('h2', null, 'Sample world'),
    h('p', { class: 'world-clock' }, icon('world'), h('span', { id: 'world-clock' }, worldTime())),
    h(
      'div',
      { class: 'steps', role: 'group', 'aria-label': 'Move the clock on' },
      STEPS.map(([seconds, says]) =>
        h(
          'button',
          {
            type: 'button',
            class: 'small',
            dataset: { advance: String(seconds) },
            onclick: (event) => move(seconds, event.currentTarget),
          },
          `+${says}`,
        ),
      ),
    ),
    h(
      'form',
      {
        class: 'until',
        onsubmit: (event) => {
          event.preventDefault();
          const seconds = secondsUntil(until.value.trim(), state.about.zone);
          if (seconds === null) return toast('Write the time as 10:00.', 'critical');
          move(seconds, event.target.querySelector('button'));
        },
      },
      h('label', null, 'until ', until),
      h('button', { type: 'submit', class: 'small' }, 'Go'),
    ),
    faults.length > 0 &&
      h(
        'div',
        { class: 'faults' },
        faults.filter((fault) => about(fault) === about(faults[0])).map(button),
        h(
          'details',
          { class: 'fold' },
          h('summary', null, icon('down', { extra: 'turn' }), 'Other services'),
          faults.filter((fault) => about(fault) !== about(faults[0])).map(button),
        ),
      ),
  );
  return panel;
}

function button(fault) {
  return h(
    'button',
    {
      type: 'button',
      class: 'small wide',
      dataset: { world: fault.id },
      'aria-pressed': fault.on === undefined ? null : String(Boolean(fault.on)),
      onclick: (event) => act(fault, event.currentTarget),
    },
    icon('fault'),
    h('span', null, fault.says),
  );
}

/** The service that a fault is about: `checkout` of `checkout-errors`. */
function about(fault) {
  return String(fault.id).replace(/-[^-]*$/, '');
}

/** Keeps the shown time going. */
export function keepWorld() {
  const node = document.getElementById('world-clock');
  if (node) put(node, worldTime());
}

function worldTime() {
  return dayAndHour(now(), state.about.zone);
}

async function move(seconds, node) {
  await during(node, async () => {
    await api.advance(seconds);
    takeAbout(await api.about());
    await refresh();
  });
}

async function act(fault, node) {
  await during(node, async () => {
    const answer = await api.world(fault.id, fault.path);
    if (typeof answer.says === 'string') toast(answer.says);
    else if (fault.on === undefined) toast(`Done: ${fault.says}.`);
    takeAbout(await api.about());
  });
}

async function during(node, work) {
  node.disabled = true;
  try {
    await work();
  } catch (error) {
    toast(error.message, 'critical');
  } finally {
    node.disabled = false;
  }
}
