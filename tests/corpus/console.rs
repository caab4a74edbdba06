//! The console's own page draws the corpus, in a real browser.

use serde_json::{Value, json};

use super::{compare, messages};
use crate::harness::browser::Browser;
use crate::harness::{Story, settings};

/// Draws messages with the page's own code and tells what stands there: what is set apart by its element and class in
/// brackets, signs by what they mean, and what else is shown as the words that it is.
const DRAW: &str = r"
    const [{ article }, { state }] = await Promise.all([import('/console/js/message.js'), import('/console/js/state.js')]);
    const BLOCKS = new Set(['DIV', 'P', 'H3', 'H4', 'UL', 'LI', 'DL', 'PRE', 'BLOCKQUOTE', 'DETAILS', 'FORM', 'FIELDSET', 'LABEL', 'HR', 'SECTION']);
    const QUIET = new Set(['DIV', 'SPAN', 'SVG', 'SUMMARY']);
    const outline = (node) => {
      const lines = [];
      let words = '';
      const flush = (depth) => { if (words.trim()) lines.push('  '.repeat(depth) + words.replace(/\s+/g, ' ').trim()); words = ''; };
      const name = (e) => e.tagName.toLowerCase() + [...e.classList].map((c) => '.' + c).join('');
      const walk = (e, depth) => {
        for (const child of e.childNodes) {
          if (child.nodeType === 3) words += child.textContent;
          else if (child.tagName === 'svg') words += child.getAttribute('aria-label') ? `(${child.getAttribute('aria-label')}) ` : '';
          else if (child.tagName === 'PRE') { flush(depth); lines.push('  '.repeat(depth) + '[pre]', ...child.textContent.split('\n').map((l) => '  '.repeat(depth + 1) + '| ' + l)); }
          else if (child.tagName === 'BUTTON' && !child.classList.contains('picture')) words += ` [${name(child)} ${child.dataset.button ?? child.type}] ${child.textContent} `;
          else if (child.tagName === 'IMG') words += ` [img ${child.getAttribute('src').replace(location.origin, '')}] ${child.alt} `;
          else if (['INPUT', 'TEXTAREA'].includes(child.tagName)) words += ` [${child.tagName.toLowerCase()} ${child.type} ${JSON.stringify(child.value)}${child.checked ? ' checked' : ''}] `;
          else if (child.tagName === 'SELECT') words += ` [select ${JSON.stringify([...child.options].map((o) => o.textContent))}] `;
          else if (BLOCKS.has(child.tagName)) {
            flush(depth);
            const plain = child.tagName === 'DIV' && !child.className;
            if (!plain) lines.push('  '.repeat(depth) + `[${name(child)}]`);
            walk(child, plain ? depth : depth + 1);
            flush(plain ? depth : depth + 1);
          }
          else if (child.tagName === 'A') { words += `[a ${child.getAttribute('href')} `; walk(child, depth); words += ']'; }
          else if (['CODE', 'STRONG', 'EM', 'DT', 'DD'].includes(child.tagName) || child.className === 'person') { words += `[${name(child)} `; walk(child, depth); words += '] '; }
          else walk(child, depth);
        }
      };
      walk(node, 0);
      flush(0);
      return lines.join('\n');
    };
    const drawn = [];
    for (const [name, message] of arguments[0]) {
      const node = article({ id: name, seq: 1, channel: 'deploys', author: 'tidegate', at: null, text: message.said, message: message.message, reactions: {}, edited: 0 }, { grouped: true, replies: [], inThread: true });
      const content = node.querySelector('.content');
      content.querySelectorAll('.tools').forEach((e) => e.remove());
      document.querySelector('#channel-roll').append(node);
      drawn.push([name, outline(content)]);
    }
    return drawn;
";

#[test]
fn the_console_draws_every_message_as_reviewed() {
    let story = Story::begin(&settings());
    let page = Browser::at(&story, "channel=deploys&user=ada");
    let asked: Vec<Value> = messages()
        .into_iter()
        .map(|(name, message)| json!([name, { "message": message, "said": message.text() }]))
        .collect();
    let script = format!(
        "return (async (...args) => {{ const arguments_ = args; {} }})(...arguments)",
        DRAW.replace("arguments[0]", "arguments_[0]")
    );
    let drawn: Vec<(String, String)> = serde_json::from_value(page.js(&script, vec![json!(asked)])).unwrap();
    compare("console", drawn.into_iter());
}
