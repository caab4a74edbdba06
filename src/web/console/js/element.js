// Makes elements. Whatever comes from the server goes in as text; nothing here reads markup.

const SVG = 'http://www.w3.org/2000/svg';

/** h('p', {class: 'x', onclick: f, 'aria-label': '…'}, 'text', node, [more], null) */
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

/** The same for SVG elements. */
export function s(tag, props, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** Replaces what is in `node`. */
export function put(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter(present));
  return node;
}

/** An http or https address as the server wrote it, or null: nothing else may become a link. */
export function safeLink(link) {
  if (typeof link !== 'string') return null;
  try {
    const url = new URL(link, location.origin);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : null;
  } catch {
    return null;
  }
}

/** A picture of our own origin, or one that is written out in the message. */
export function safePicture(source) {
  if (typeof source !== 'string') return null;
  if (/^data:image\/(png|svg\+xml)[;,]/.test(source)) return source;
  try {
    const url = new URL(source, location.origin);
    return url.origin === location.origin ? url.href : null;
  } catch {
    return null;
  }
}

function fill(node, props, children) {
  for (const [name, value] of Object.entries(props ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) node.addEventListener(name.slice(2), value);
    else if (name === 'dataset') Object.assign(node.dataset, value);
    else if (name === 'value' || name === 'checked' || name === 'open') node[name] = value;
    else node.setAttribute(name, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter(present));
  return node;
}

function present(child) {
  return child !== null && child !== undefined && child !== false && child !== '';
}
