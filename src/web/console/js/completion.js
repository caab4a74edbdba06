// What could stand at the caret of a command: its name, a service, an environment, an option, a plan's handle, a person.

import { slash, state, tryText } from './state.js';

const MOST = 9;
const OF_KIND = {
  service: () => named(state.about.services, 'service'),
  environment: () => named(state.about.environments, 'environment'),
  'service-or-environment': () => [
    ...named(state.about.services, 'service'),
    ...named(state.about.environments, 'environment'),
  ],
  plan: () => plans(),
  command: () => state.about.commands.map((command) => ({ text: command.name, says: command.says })),
  people: () => people(''),
  time: () => ['now', 'today 20:00', 'tomorrow 10:00'].map((text) => ({ text, says: '' })),
};

/** {from, items: [{text, says}], usage}: what may replace the text from `from` to the caret. */
export function complete(text, caret) {
  const before = text.slice(0, caret);
  if (!before.startsWith('/')) return nothing();
  const words = split(before);
  const current = words.at(-1);
  const name = slash();
  if (words.length === 1) {
    // The command's own name, and at once what can follow it.
    if (!name.startsWith(current.text)) return nothing();
    return offer(
      current.from,
      commands('').map((item) => ({ ...item, text: `${name} ${item.text}` })),
      '',
      usageOf(null),
    );
  }
  if (words[0].text !== name) return nothing();
  const command = state.about.commands.find((each) => each.name === words[1].text);
  if (words.length === 2) return offer(current.from, commands(current.text), current.text, usageOf(command));
  if (!command) return nothing();
  return offer(current.from, values(command, words.slice(2)), current.text, usageOf(command));
}

/** The words of a command line with where each begins; the last is the one being written, perhaps empty. */
export function split(text) {
  const words = [];
  let word = null;
  let quote = null;
  for (let i = 0; i < text.length; i += 1) {
    const c = text[i];
    if (quote) {
      if (c === quote) quote = null;
      else word.text += c;
    } else if (c === '"' || c === "'") {
      word ??= { text: '', from: i };
      quote = c;
      word.quoted = true;
    } else if (/\s/.test(c)) {
      if (word) words.push(word);
      word = null;
    } else {
      word ??= { text: '', from: i };
      word.text += c;
    }
  }
  words.push(word ?? { text: '', from: text.length });
  return words;
}

function values(command, words) {
  const current = words.at(-1);
  if (current.quoted) return [];
  const options = command.options ?? [];
  if (current.text.startsWith('--')) {
    const given = new Set(words.slice(0, -1).map((word) => word.text));
    return options
      .filter((option) => option.many || !given.has(`--${option.name}`))
      .map((option) => ({ text: `--${option.name}`, says: option.says }));
  }
  const previous = words.at(-2)?.text;
  const option = previous?.startsWith('--') && options.find((each) => `--${each.name}` === previous);
  if (option) return ofKind(option);
  if (current.text.startsWith('@')) return people('@');
  // Words that are not options or their values count as arguments.
  let position = 0;
  for (let i = 0; i < words.length - 1; i += 1) {
    if (words[i].text.startsWith('--')) i += 1;
    else position += 1;
  }
  const argument = (command.arguments ?? guessed(command))[position];
  if (!argument) return options.map((each) => ({ text: `--${each.name}`, says: each.says }));
  return ofKind(argument, words);
}

function ofKind(argument, words) {
  if (argument.choices?.length) return argument.choices.map((text) => ({ text, says: '' }));
  if (argument.kind === 'version') return versions(words);
  return OF_KIND[argument.kind]?.() ?? [];
}

/** Where the server lists no arguments, they are read from the usage. */
function guessed(command) {
  return (command.usage ?? '')
    .split(/\s+/)
    .slice(1)
    .map((word) => word.replace(/[[\]]/g, '').toLowerCase())
    .map((word) => (word.includes('|') ? 'service-or-environment' : word))
    .filter((word) => /^[a-z-]+$/.test(word))
    .map((kind) => ({ kind }));
}

/** Versions the server names, and those in its suggestions, for the service that was typed. */
function versions(words) {
  const service = words?.[0]?.text;
  const told = state.about.versions?.[service] ?? [];
  const tried = state.about.try
    .map((each) => split(tryText(each)).map((word) => word.text))
    .filter((parts) => parts[2] === service && parts[4] && !parts[4].startsWith('--'))
    .map((parts) => parts[4]);
  return [...new Set([...told, ...tried])].map((text) => ({ text, says: 'version' }));
}

function plans() {
  const found = new Map();
  for (const message of [...state.messages.values()].reverse()) {
    for (const service of state.about.services) {
      for (const match of String(message.text ?? '').matchAll(
        new RegExp(`(?<![\\w-])${RegExp.escape?.(service) ?? service.replace(/[^\w-]/g, '\\$&')}-\\d+(?![\\w-])`, 'g'),
      )) {
        if (!found.has(match[0])) found.set(match[0], { text: match[0], says: 'plan' });
      }
    }
  }
  return [...found.values()];
}

function people(sign) {
  return state.about.users
    .filter((user) => user.kind !== 'deactivated')
    .map((user) => ({ text: `${sign}${user.name}`, says: user.roles.join(', ') }));
}

function commands() {
  return state.about.commands.map((command) => ({ text: command.name, says: command.says }));
}

function named(list, says) {
  return list.map((each) => ({ text: typeof each === 'string' ? each : each.name, says }));
}

function usageOf(command) {
  return command ? { usage: command.usage ?? command.name, says: command.says ?? '' } : null;
}

function offer(from, all, typed, usage) {
  const wanted = typed.toLowerCase();
  const starts = all.filter((item) => item.text.toLowerCase().startsWith(wanted));
  const has = all.filter(
    (item) => !starts.includes(item) && wanted.length > 1 && item.text.toLowerCase().includes(wanted),
  );
  const items = [...starts, ...has].filter((item) => item.text !== typed);
  return { from, items: typed.startsWith('--') || typed === '' ? items.slice(0, 24) : items.slice(0, MOST), usage };
}

function nothing() {
  return { from: 0, items: [], usage: null };
}
