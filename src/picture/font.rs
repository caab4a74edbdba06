//! The font of the pictures: which characters it has and how wide they are, so that text is cut before it overflows.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use resvg::usvg::fontdb;

use crate::message::tame;

/// The family that [`database`] knows the faces by.
pub const FAMILY: &str = "DejaVu Sans";

static REGULAR: &[u8] = include_bytes!("font/DejaVuSansCondensed.ttf");
static BOLD: &[u8] = include_bytes!("font/DejaVuSansCondensed-Bold.ttf");

static REGULAR_WIDTHS: LazyLock<Widths> = LazyLock::new(|| Widths::read(REGULAR).unwrap_or_default());
static BOLD_WIDTHS: LazyLock<Widths> = LazyLock::new(|| Widths::read(BOLD).unwrap_or_default());

/// Longer texts from outside are cut before they are measured.
const LONGEST: usize = 240;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    Regular,
    Bold,
}

/// How text stands: its weight and its size in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Type {
    pub size: f64,
    pub weight: Weight,
}

impl Type {
    pub const fn regular(size: f64) -> Type {
        Type { size, weight: Weight::Regular }
    }

    pub const fn bold(size: f64) -> Type {
        Type { size, weight: Weight::Bold }
    }
}

/// The faces, for the renderer.
pub fn database() -> Arc<fontdb::Database> {
    static DATABASE: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
        let mut database = fontdb::Database::new();
        database.load_font_source(fontdb::Source::Binary(Arc::new(REGULAR)));
        database.load_font_source(fontdb::Source::Binary(Arc::new(BOLD)));
        database.set_sans_serif_family(FAMILY);
        Arc::new(database)
    });
    DATABASE.clone()
}

/// The width of a text in pixels. Kerning is left out: it makes text a little narrower, never wider.
pub fn width(text: &str, kind: Type) -> f64 {
    let widths = widths(kind.weight);
    let units: f64 = text.chars().map(|c| widths.advance(c).unwrap_or(widths.widest)).sum();
    units * kind.size
}

/// A face as documents embed it: the file, and for each character that it has its glyph and its width in em.
#[derive(Debug)]
pub struct Face {
    pub file: &'static [u8],
    pub glyphs: &'static HashMap<char, (u16, f64)>,
    /// Left, lower, right and upper edge, ascent and descent, in thousandths of an em.
    pub bounds: [i32; 6],
}

/// The whole face.
pub fn face(weight: Weight) -> Face {
    let file = match weight {
        Weight::Regular => REGULAR,
        Weight::Bold => BOLD,
    };
    let signed = |name: &[u8; 4], at: usize| {
        let read = table(file, name).and_then(|table| u16_at(table, at)).unwrap_or(0);
        let em = table(file, b"head").and_then(|table| u16_at(table, 18)).unwrap_or(1_000).max(1);
        i32::from(read.cast_signed()) * 1_000 / i32::from(em)
    };
    let edge = |at| signed(b"head", at);
    let bounds = [edge(36), edge(38), edge(40), edge(42), signed(b"hhea", 4), signed(b"hhea", 6)];
    Face { file, glyphs: &widths(weight).of, bounds }
}

/// Makes text from outside drawable: one line, no control or direction-changing characters, no emoji; letters that the
/// font lacks become one ellipsis for each run of them. Empty if nothing is left to read.
pub fn drawable(text: &str) -> String {
    let widths = widths(Weight::Regular);
    let mut out = String::new();
    let mut accents = 0;
    for c in tame(text, LONGEST).chars() {
        if is_accent(c) {
            accents += 1;
            // An accent needs a letter to stand on, and a tower of them would leave its line.
            if accents <= 2 && !out.is_empty() && !out.ends_with(' ') {
                out.push(c);
            }
            continue;
        }
        accents = 0;
        if widths.advance(c).is_some() {
            let doubled = c == ' ' && (out.is_empty() || out.ends_with(' '));
            if !doubled {
                out.push(c);
            }
        } else if c.is_alphanumeric() && !out.ends_with('…') {
            out.push('…');
        }
    }
    out.truncate(out.trim_end().len());
    if out.chars().any(char::is_alphanumeric) { out } else { String::new() }
}

/// The text, or as much of it as `most` pixels hold, with an ellipsis; empty where not even three letters fit.
pub fn fit(text: &str, kind: Type, most: f64) -> String {
    if width(text, kind) <= most {
        return text.to_owned();
    }
    if most.is_nan() {
        return String::new();
    }
    let widths = widths(kind.weight);
    let mut left = most / kind.size - widths.advance('…').unwrap_or(1.0);
    let mut out = String::new();
    for c in text.chars() {
        left -= widths.advance(c).unwrap_or(widths.widest);
        if left < 0.0 {
            break;
        }
        out.push(c);
    }
    out.truncate(out.trim_end_matches([' ', ',', '·', '–', '…']).len());
    if out.chars().filter(|c| c.is_alphanumeric()).count() < 3 {
        return String::new();
    }
    out.push('…');
    out
}

/// The text in at most `lines` lines of `most` pixels, broken at spaces; the last one is cut.
pub fn wrap(text: &str, kind: Type, most: f64, lines: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() && out.len() < lines {
        let last = out.len() + 1 == lines;
        let end = if last { rest.len() } else { break_at(rest, kind, most) };
        let line = fit(rest.get(..end).unwrap_or(rest).trim(), kind, most);
        if line.is_empty() {
            break;
        }
        out.push(line);
        rest = rest.get(end..).unwrap_or("").trim_start();
    }
    out
}

/// Where the first line ends: the last space before `most` pixels, or the end of a word that is too long.
fn break_at(text: &str, kind: Type, most: f64) -> usize {
    let mut end = 0;
    for (at, _) in text.match_indices(' ').chain([(text.len(), "")]) {
        if end > 0 && width(text.get(..at).unwrap_or(text), kind) > most {
            break;
        }
        end = at;
    }
    end.max(1)
}

fn is_accent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}')
}

fn widths(weight: Weight) -> &'static Widths {
    match weight {
        Weight::Regular => &REGULAR_WIDTHS,
        Weight::Bold => &BOLD_WIDTHS,
    }
}

/// Advance widths in em.
#[derive(Debug, Default)]
struct Widths {
    /// Glyph and width.
    of: HashMap<char, (u16, f64)>,
    widest: f64,
}

impl Widths {
    fn advance(&self, c: char) -> Option<f64> {
        self.of.get(&c).map(|found| found.1)
    }

    /// Reads the tables `head`, `hhea`, `hmtx` and `cmap` (format 4) of a TrueType file.
    /// The format: <https://learn.microsoft.com/typography/opentype/spec/otff>.
    fn read(face: &[u8]) -> Option<Widths> {
        let em = f64::from(u16_at(table(face, b"head")?, 18)?);
        let longs = usize::from(u16_at(table(face, b"hhea")?, 34)?);
        let hmtx = table(face, b"hmtx")?;
        let cmap = table(face, b"cmap")?;
        let map = cmap.get(usize::try_from(u32_at(cmap, 8)?).ok()?..)?;
        if u16_at(map, 0)? != 4 || longs == 0 {
            return None;
        }
        let doubled = usize::from(u16_at(map, 6)?);
        let (ends, starts, deltas, offsets) = (14, 16 + doubled, 16 + 2 * doubled, 16 + 3 * doubled);
        let mut widths = Widths::default();
        for segment in (0..doubled).step_by(2) {
            let (end, start) = (u16_at(map, ends + segment)?, u16_at(map, starts + segment)?);
            let (delta, offset) = (u16_at(map, deltas + segment)?, usize::from(u16_at(map, offsets + segment)?));
            for code in start..=end {
                let Some(c) = char::from_u32(u32::from(code)) else { continue };
                let glyph = if offset == 0 {
                    code.wrapping_add(delta)
                } else {
                    match u16_at(map, offsets + segment + offset + 2 * usize::from(code - start))? {
                        0 => 0,
                        glyph => glyph.wrapping_add(delta),
                    }
                };
                if glyph != 0 && code != 0xffff {
                    let advance = f64::from(u16_at(hmtx, 4 * usize::from(glyph).min(longs - 1))?) / em;
                    widths.widest = widths.widest.max(advance);
                    widths.of.insert(c, (glyph, advance));
                }
            }
        }
        Some(widths)
    }
}

fn table<'a>(face: &'a [u8], tag: &[u8; 4]) -> Option<&'a [u8]> {
    let count = usize::from(u16_at(face, 4)?);
    let entry = (0..count).filter_map(|n| face.get(12 + 16 * n..28 + 16 * n)).find(|entry| entry.starts_with(tag))?;
    let start = usize::try_from(u32_at(entry, 8)?).ok()?;
    let length = usize::try_from(u32_at(entry, 12)?).ok()?;
    face.get(start..start.checked_add(length)?)
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: Type = Type::regular(12.0);

    #[test]
    fn the_font_has_what_the_pictures_say() {
        for c in "Ada Müller – Łódź · 0.2 % → 1.9 % “Ελλάδα” Київ ≥ ≤ × − … ✓ €".chars()
        {
            assert!(widths(Weight::Regular).advance(c).is_some(), "{c} {:x}", u32::from(c));
            assert!(widths(Weight::Bold).advance(c).is_some(), "{c} {:x}", u32::from(c));
        }
        assert_eq!(widths(Weight::Regular).advance('🔥'), None);
    }

    #[test]
    fn the_table_measures_what_the_renderer_draws() {
        for (kind, weight) in [(Type::regular(20.0), 400), (Type::bold(20.0), 700)] {
            let text = "Sunday 22 November 10:20–11:40 · Łódź";
            let svg = format!(
                "<svg xmlns='http://www.w3.org/2000/svg' width='900' height='40'><text x='0' y='30' font-size='20' \
                 font-weight='{weight}' font-family='{FAMILY}'>{text}</text></svg>"
            );
            let options = resvg::usvg::Options { fontdb: database(), ..Default::default() };
            let tree = resvg::usvg::Tree::from_str(&svg, &options).unwrap();
            let drawn = f64::from(tree.root().abs_bounding_box().width());
            let table = width(text, kind);
            assert!(drawn <= table && drawn > table * 0.96, "{drawn} against {table}");
        }
    }

    #[test]
    fn emoji_and_controls_are_not_drawn() {
        assert_eq!(drawable("🔥 Launch\u{202e} day\n🚀"), "Launch day");
        assert_eq!(drawable("ブラックフライデー sale"), "… sale");
        assert_eq!(drawable("🎉🎉"), "");
        assert_eq!(drawable("\u{1b}[31mred"), "[31mred");
    }

    #[test]
    fn a_tower_of_accents_stays_in_its_line() {
        let zalgo = format!("Z{}algo", "\u{301}".repeat(50));
        assert!(drawable(&zalgo).chars().count() <= 8);
        assert_eq!(drawable("\u{301}\u{301}"), "");
    }

    #[test]
    fn text_is_cut_where_it_would_overflow() {
        let text = "A very long name of a campaign";
        let cut = fit(text, BODY, 80.0);
        assert!(cut.ends_with('…') && width(&cut, BODY) <= 80.0, "{cut}");
        assert_eq!(fit(text, BODY, 500.0), text);
        assert_eq!(fit(text, BODY, 10.0), "");
        assert_eq!(fit(text, BODY, f64::NAN), "");
    }

    #[test]
    fn text_is_wrapped_at_spaces() {
        let lines = wrap("Outside the allowed window, in people's evening, needs a VP", BODY, 160.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, BODY) <= 160.0), "{lines:?}");
        assert!(wrap(&"x".repeat(400), BODY, 100.0, 3)[0].ends_with('…'));
    }
}
