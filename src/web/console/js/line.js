// One line of a message: its mark, its spans, and the code of the check that speaks.

import { dayAndHour, full, moment } from './clock.js';
import { h, safeLink } from './element.js';
import { EMOJI, icon, MARK_WORDS } from './icon.js';

const STYLES = new Set(['strong', 'code', 'quiet']);
const WORDS = new RegExp(`(\`[^\`\\n]+\`|(?:${Object.keys(EMOJI).join('|')})\\ufe0f?)`, 'u');
const SCORE = /^risk (\d{1,3}) of 100(?:, (low|moderate|elevated|high))?/i;

/** A line as a paragraph with its sign before it. */
export function line(said) {
  const mark = MARK_WORDS[said.mark] ? said.mark : null;
  const spans = Array.isArray(said.spans) ? said.spans : [];
  const told = spans.map(toldScore).find(Boolean);
  return h(
    'div',
    { class: `line ${mark ? `marked mark-${mark}` : ''}`, dataset: said.code ? { code: said.code } : {} },
    mark && h('span', { class: 'mark' }, icon(mark, { label: MARK_WORDS[mark] })),
    h(
      'div',
      { class: 'says' },
      spans.map(span),
      said.code && h('code', { class: 'check', title: 'The check that says so' }, said.code),
      Number.isFinite(said.points) && said.points !== 0 && points(said),
      told && scoreBar(told.value, told.band),
    ),
  );
}

/** Several lines, under a heading or folded behind it. */
export function lines(block, open, onToggle) {
  const given = Array.isArray(block.lines) ? block.lines : [];
  // In a list of signs, a line without one belongs to the line above it.
  const signed = given.some((said) => said.mark);
  const all = given.map((said) => {
    const node = line(said);
    if (signed && !said.mark) node.classList.add('under');
    return node;
  });
  if (block.folded) {
    const many = !/^\d/.test(block.says ?? '') && h('span', { class: 'count' }, String(all.length));
    const says = [h('span', null, block.says || 'More'), many];
    return fold('', says, open, onToggle, h('div', { class: 'lines' }, all));
  }
  return h('div', { class: 'lines' }, block.says && h('h4', null, block.says), all);
}

/** Something folded behind what it is. */
export function fold(extra, says, open, onToggle, content) {
  return h(
    'details',
    { class: `fold ${extra}`, open, ontoggle: (event) => onToggle(event.target.open) },
    h('summary', null, icon('down', { extra: 'turn' }), says),
    content,
  );
}

/** The score as a thin bar: length and words say it, colour repeats it. */
export function scoreBar(value, band) {
  const at = Math.max(0, Math.min(100, Number(value) || 0));
  const name = ['low', 'moderate', 'elevated', 'high'].includes(band) ? band : 'unknown';
  const bar = h('span', { class: 'fill' });
  bar.style.setProperty('width', `${at}%`);
  return h(
    'span',
    { class: `score band-${name}`, role: 'img', 'aria-label': `Risk ${at} of 100${band ? `, ${band}` : ''}` },
    bar,
  );
}

function span(part) {
  const text = String(part.text ?? '');
  const at = moment(part.time);
  if (at !== null) return time(text, at, part.style);
  const style = STYLES.has(part.style) ? part.style : null;
  const link = safeLink(part.link);
  const tag = style === 'code' ? 'code' : style === 'strong' ? 'strong' : 'span';
  const inner = h(
    tag,
    { class: part.person ? 'person' : style === 'quiet' ? 'quiet' : null },
    style === 'code' ? text : words(text),
  );
  if (!link) return inner;
  return h('a', { href: link, target: '_blank', rel: 'noopener noreferrer nofollow' }, inner);
}

/** Words with `names` set as code, and signs drawn, so that they look alike where no font has them; read aloud, they are the emoji that they were. */
function words(text) {
  return text.split(WORDS).map((part) => {
    if (part.length > 2 && part.startsWith('`')) return h('code', null, part.slice(1, -1));
    const sign = EMOJI[part.replace('\ufe0f', '')];
    return sign ? h('span', { class: `sign mark-${sign}` }, icon(sign, { label: part })) : part;
  });
}

/** A moment: shown as the team says it, by a click as the viewer's clock says it. */
function time(text, at, style) {
  const node = h(
    'time',
    { datetime: new Date(at).toISOString(), title: full(at), class: style === 'strong' ? 'strong' : null },
    text,
  );
  node.addEventListener('click', () => {
    node.textContent = node.classList.toggle('mine') ? `${dayAndHour(at, viewerZone())} for you` : text;
  });
  node.addEventListener('mouseenter', () => node.setAttribute('title', full(at)));
  return node;
}

function viewerZone() {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function points(said) {
  const sign = said.points > 0 ? '+' : '−';
  const of = Number.isFinite(said.of) ? ` of ${said.of} possible` : '';
  return h(
    'span',
    { class: 'points', title: `${sign}${Math.abs(said.points)} points of risk${of}` },
    `${sign}${Math.abs(said.points)}`,
  );
}

/** Tidegate's own emphasised words about the score; what others wrote is never emphasised. */
function toldScore(part) {
  const match = part.style === 'strong' ? SCORE.exec(String(part.text)) : null;
  return match && { value: Number(match[1]), band: match[2]?.toLowerCase() };
}
