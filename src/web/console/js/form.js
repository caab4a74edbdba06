// A form inside a message. Errors stand beside their fields; what was typed survives edits of the message.

import * as api from './api.js';
import { h, put } from './element.js';
import { state } from './state.js';

/** Form id → {field: value}, what has been typed but not sent. */
const typed = new Map();
/** Form id → {field: says}, the last refusal. */
const refused = new Map();

/** The form of a message. */
export function form(given) {
  const id = String(given.id);
  const draft = typed.get(id) ?? {};
  const fields = (given.fields ?? []).map((field) =>
    control(id, field, draft[field.name] ?? field.value ?? '', refused.get(id)?.[field.name]),
  );
  const note = h('p', { class: 'form-note', role: 'alert' }, refused.get(id)?.['']);
  const send = h(
    'button',
    { type: 'submit', class: 'button primary', dataset: { focus: 'submit' } },
    given.button ?? 'Send',
  );
  const node = h(
    'form',
    { class: 'form', novalidate: true, dataset: { form: id }, 'aria-label': given.title || 'Form', onsubmit: submit },
    given.title && h('h4', null, given.title),
    given.says && h('p', { class: 'form-says' }, given.says),
    fields,
    note,
    h('div', { class: 'form-end' }, send),
  );
  node.addEventListener('input', () => typed.set(id, values(node)));
  node.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) node.requestSubmit();
  });
  return node;

  async function submit(event) {
    event.preventDefault();
    if (send.disabled) return;
    const filled = values(node);
    const missing = (given.fields ?? []).filter((field) => field.required && !filled[field.name]);
    if (missing.length > 0) {
      return refuse(
        Object.fromEntries(missing.map((field) => [field.name, `${field.label || field.name} is needed.`])),
      );
    }
    send.disabled = true;
    node.setAttribute('aria-busy', 'true');
    try {
      const answer = await api.submit(state.user, id, filled);
      if (answer.errors && Object.keys(answer.errors).length > 0) return refuse(answer.errors);
      typed.delete(id);
      refused.delete(id);
      put(note);
      node.classList.add('sent');
      put(send, 'Sent');
    } catch (error) {
      refuse({ '': error.message });
    } finally {
      node.removeAttribute('aria-busy');
      send.disabled = node.classList.contains('sent');
    }
  }

  function refuse(errors) {
    refused.set(id, errors);
    const names = new Set((given.fields ?? []).map((field) => field.name));
    for (const field of node.querySelectorAll('[data-field]')) tell(field, errors[field.dataset.field]);
    const rest = Object.entries(errors)
      .filter(([name]) => !names.has(name))
      .map(([, says]) => says);
    put(note, rest.join(' '));
    const first = node.querySelector('[aria-invalid="true"]');
    (first?.matches('fieldset') ? first.querySelector('input') : first)?.focus();
  }
}

/** Every field's value as text, by name. */
function values(node) {
  const out = {};
  for (const field of node.querySelectorAll('[data-field]')) {
    const name = field.dataset.field;
    const inputs = [...field.querySelectorAll('input, textarea, select')];
    if (field.dataset.kind === 'choice') out[name] = inputs.find((input) => input.checked)?.value ?? '';
    else if (field.dataset.kind === 'check') out[name] = inputs[0].checked ? 'yes' : '';
    else out[name] = inputs[0].value.trim();
  }
  return out;
}

function control(form, field, value, error) {
  const name = String(field.name);
  const id = `field-${form}-${name}`.replace(/[^\w-]/g, '_');
  const common = {
    id,
    name,
    dataset: { focus: `field-${name}` },
    'aria-describedby': `${id}-hint ${id}-error`,
    'aria-required': field.required ? 'true' : null,
  };
  const options =
    field.kind === 'person' && !field.options?.length
      ? state.about.users
          .filter((user) => user.kind === 'member')
          .map((user) => ({ value: user.name, says: user.name }))
      : (field.options ?? []).map((option) => (typeof option === 'string' ? { value: option, says: option } : option));
  const label = [field.label || name, !field.required && h('span', { class: 'optional' }, 'optional')];
  const around = (...inner) => {
    const node = h(
      'div',
      { class: `field kind-${field.kind}`, dataset: { field: name, kind: field.kind } },
      inner,
      h('p', { class: 'hint', id: `${id}-hint` }, field.hint),
      h('p', { class: 'error', id: `${id}-error` }),
    );
    if (error) tell(node, error);
    return node;
  };
  switch (field.kind) {
    case 'long':
      return around(h('label', { for: id }, label), h('textarea', { ...common, rows: 3, value }));
    case 'select':
    case 'person':
      return around(
        h('label', { for: id }, label),
        h('span', { class: 'select' }, select(common, options, value, field)),
      );
    case 'choice':
      return around(
        h(
          'fieldset',
          { ...common, id: null, name: null },
          h('legend', null, label),
          h(
            'div',
            { class: 'choices' },
            options.map((option, i) =>
              h(
                'label',
                { class: 'choice' },
                h('input', {
                  type: 'radio',
                  name: id,
                  value: option.value,
                  checked: option.value === value,
                  dataset: { focus: `field-${name}-${i}` },
                }),
                h('span', null, option.says ?? option.value),
              ),
            ),
          ),
        ),
      );
    case 'check':
      return around(
        h(
          'label',
          { class: 'check-label' },
          h('input', { ...common, type: 'checkbox', checked: ['yes', 'true', 'on', '1'].includes(String(value)) }),
          h('span', null, field.label || name),
        ),
      );
    case 'time':
      return around(
        h('label', { for: id }, label),
        h('input', { ...common, type: 'text', value, placeholder: 'tomorrow 10:00', autocomplete: 'off' }),
      );
    default:
      return around(
        h('label', { for: id }, label),
        h('input', { ...common, type: 'text', value, autocomplete: 'off', autocapitalize: 'off', spellcheck: 'false' }),
      );
  }
}

function select(common, options, value, field) {
  const empty =
    options.some((option) => option.value === value) && field.required
      ? []
      : [{ value: '', says: field.required ? 'Choose' : 'None' }];
  const all = options.some((option) => option.value === '') ? options : [...empty, ...options];
  return h(
    'select',
    { ...common, value: null },
    all.map((option) =>
      h('option', { value: option.value, selected: option.value === value }, option.says ?? option.value),
    ),
  );
}

function tell(field, says) {
  put(field.querySelector('.error'), says);
  const input = field.querySelector('fieldset, input, textarea, select');
  if (says) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
  field.classList.toggle('wrong', Boolean(says));
}
