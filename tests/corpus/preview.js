// Draws what is sent to Slack and to Discord, plainly: the payload's own parts in their order and nothing else. It knows the
// blocks, embeds and markup that Tidegate uses; anything else is a fault. Given: platform, posts, names, css.
const [{ h }, { EMOJI, icon }] = await Promise.all([import('/console/js/element.js'), import('/console/js/icon.js')]);
const faults = [];
const SIGNS = { ...EMOJI, '✅': 'pass', white_check_mark: 'pass', no_entry: 'critical', raised_hand: 'hold', eyes: 'watch' };
const EMOJI_OR = new RegExp(`(${Object.keys(EMOJI).join('|')})\\ufe0f?`, 'u');
const COLOURS = { critical: '#d63a45', caution: '#d08a06', pass: '#24a36c', approve: '#24a36c', window: '#3f86ea', start: '#3f86ea', finish: '#3f86ea', watch: '#3f86ea', info: '#3f86ea', alert: '#d63a45', recovered: '#24a36c', hold: '#d08a06', back: '#d08a06', unknown: '#8a8f98', note: '#8a8f98' };

/** Signs are drawn by the console's own icons: machines that draw this page may have no emoji. */
function sign(name) {
  const drawn = icon(SIGNS[name], { label: name });
  drawn.style.color = COLOURS[SIGNS[name]] ?? 'inherit';
  return drawn;
}

function words(text) {
  return text.split(EMOJI_OR).map((part) => (EMOJI[part] ? sign(part) : part));
}

/** Text by the first rule that matches; `rules`: [pattern, element of the match]. */
function parse(text, rules) {
  const out = [];
  let plain = '';
  const flush = () => (out.push(...words(plain)), (plain = ''));
  for (let rest = text; rest; ) {
    const found = rules.map(([pattern, make]) => [pattern.exec(rest), make]).find(([match]) => match);
    const made = found ? found[1](found[0]) : rest[0];
    if (typeof made === 'string') plain += made;
    else flush(), out.push(made);
    rest = rest.slice(found ? found[0][0].length : 1);
  }
  flush();
  return out;
}

function lines(text, one) {
  return text.split(/(```\n?[^]*?```)/).map((part) => {
    const fenced = /^```\n?([^]*?)\n?```$/.exec(part);
    if (fenced) return h('pre', null, one.raw(fenced[1]));
    return part.replace(/^\n|\n$/g, '').split('\n').filter((line, i, all) => line || all.length > 1).map((line) => one(line));
  });
}

const entities = (text) => text.replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&amp;/g, '&');
const mention = (id) => h('span', { class: 'mention' }, `@${given.names[id] ?? (faults.push(`nobody is ${id}`), id)}`);

const SLACK = [
  [/^<@(\w+)>/, (m) => mention(m[1])],
  [/^<!date\^\d+\^[^|]*\|([^>]*)>/, (m) => entities(m[1])],
  [/^<(https?:[^|>]*)\|([^>]*)>/, (m) => h('a', { href: entities(m[1]) }, parse(m[2], SLACK))],
  [/^<[^>]*>/, (m) => (faults.push(`Slack acts on ${m[0]}`), m[0])],
  [/^`([^`\n]+)`/, (m) => h('code', null, entities(m[1]))],
  [/^\*(\S(?:[^*\n]*\S)?)\*/, (m) => h('strong', null, parse(m[1], SLACK))],
  [/^&(lt|gt|amp);/, (m) => entities(m[0])],
];
const mrkdwn = (line) => line.startsWith('>') ? h('div', { class: 'quote' }, parse(line.slice(1), SLACK)) : h('div', null, parse(line, SLACK));
mrkdwn.raw = entities;

const DISCORD = [
  [/^\\([^\w\s])/, (m) => m[1]],
  [/^<@(\d+)>/, (m) => mention(m[1])],
  [/^\[((?:\\.|[^\]\\])*)\]\(<([^>]*)>\)/, (m) => h('a', { href: m[2] }, parse(m[1], DISCORD))],
  [/^<[@#t:&][^>]*>/, (m) => (faults.push(`Discord acts on ${m[0]}`), m[0])],
  [/^`([^`\n]+)`/, (m) => h('code', null, m[1])],
  [/^\*\*((?:\\.|[^*\\])+)\*\*/, (m) => h('strong', null, parse(m[1], DISCORD))],
  [/^\u200b/, () => ''],
];
const markdown = (line) => {
  if (line.startsWith('-# ')) return h('div', { class: 'subtext' }, parse(line.slice(3), DISCORD));
  if (line.startsWith('> ')) return h('div', { class: 'quote' }, parse(line.slice(2), DISCORD));
  return h('div', null, line ? parse(line, DISCORD) : '\u00a0');
};
markdown.raw = (text) => text.replace(/\u200b/g, '');

const picture = (post, alt) => h('img', { src: post.picture ?? (faults.push('a picture without its file'), null), alt });

const BLOCKS = {
  header: (block) => h('div', { class: 'header' }, words(entities(block.text.text))),
  section: (block) => lines(block.text.text, mrkdwn),
  context: (block) => h('div', { class: 'context' }, block.elements.map((one) => words(entities(one.text)))),
  divider: () => h('hr', null),
  image: (block, post) => picture(post, block.alt_text),
  actions: (block) =>
    h('div', { class: 'row' }, block.elements.map((one) => h('span', { class: `button ${one.style ?? ''}` }, entities(one.text.text)))),
};

const DRAW = {
  slack: (post) =>
    post.payload.blocks.map((block) => {
      if (!BLOCKS[block.type]) faults.push(`unknown block ${block.type}`);
      return h('div', { class: 'block' }, BLOCKS[block.type]?.(block, post));
    }),
  discord: (post) => [
    post.payload.content && h('div', null, parse(post.payload.content, DISCORD)),
    post.payload.embeds.map((embed) => {
      const strange = Object.keys(embed).filter((key) => !['title', 'description', 'fields', 'footer', 'image', 'color'].includes(key));
      if (strange.length > 0) faults.push(`unknown parts of an embed: ${strange}`);
      const node = h(
        'div',
        { class: 'embed' },
        embed.title && h('div', { class: 'title' }, parse(embed.title, DISCORD)),
        embed.description && h('div', { class: 'description' }, lines(embed.description, markdown)),
        embed.fields && h('div', { class: 'fields' }, embed.fields.map((field) =>
          h('div', { class: `field ${field.inline ? '' : 'wide'}` }, h('strong', null, parse(field.name, DISCORD)), h('div', null, parse(field.value, DISCORD))))),
        embed.image && picture(post, ''),
        embed.footer && h('div', { class: 'footer' }, words(embed.footer.text)),
      );
      node.style.borderLeftColor = `#${embed.color.toString(16).padStart(6, '0')}`;
      return node;
    }),
    post.payload.components.map((row) =>
      h('div', { class: 'row' }, row.components.map((one) => h('span', { class: `button s${one.style}` }, one.label)))),
    post.payload.attachments.filter((file) => file.filename !== 'picture.png').map((file) => h('div', { class: 'in-thread file' }, `Attached: ${file.filename}`)),
  ],
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(given.css);
document.adoptedStyleSheets = [sheet];
document.querySelectorAll('link[rel=stylesheet]').forEach((link) => link.remove());
const name = { slack: 'Slack', discord: 'Discord' }[given.platform];
document.body.className = '';
document.body.replaceChildren(
  h(
    'main',
    { id: 'sheet', class: given.platform },
    given.posts.map((post) => [
      post.thread && h('p', { class: 'in-thread' }, 'In its thread:'),
      h(
        'div',
        { class: 'post' },
        h('div', { class: 'face' }, 'T'),
        h(
          'div',
          { class: 'said' },
          h('p', { class: 'who' }, 'Tidegate', h('small', null, 'APP')),
          DRAW[given.platform](post),
          post.reactions.length > 0 && h('div', { class: 'row' }, post.reactions.map((one) => {
            if (!SIGNS[one]) faults.push(`unknown reaction ${one}`);
            return h('span', { class: 'pill' }, SIGNS[one] ? sign(one) : one, '1');
          })),
        ),
      ),
    ]),
    h('p', { class: 'honest' }, `Drawn by Tidegate’s own preview from the payload that is sent; not a screenshot of ${name}.`),
  ),
);
await Promise.all([...document.images].map((image) => image.decode().catch(() => faults.push('a picture that cannot be drawn'))));
return faults;
