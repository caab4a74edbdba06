//! The evidence pack on paper: PDF 1.7, written as it grows, so that a year of changes needs no more memory than a page.
//!
//! Text alone, in the font that ships, embedded whole. Objects 1 to 13 are the catalogue, the list of pages, the title and
//! the two faces; what they refer to may stand behind them, so the list of pages is written last.
//! The format: ISO 32000-1, 7.5 (structure), 9.7 (composite fonts).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

use flate2::Compression;
use flate2::write::ZlibEncoder;

use crate::message::{Block, Line, Mark};
use crate::picture::font::{Face, Weight, face};

/// A4, and the edge that stays white, in points.
const WIDE: f64 = 595.0;
const HIGH: f64 = 842.0;
const EDGE: f64 = 52.0;

const CATALOGUE: usize = 1;
const PAGES: usize = 2;
const INFO: usize = 3;
/// Where the objects of a face begin: composite font, its descendant, descriptor, file.
const REGULAR: usize = 4;
const BOLD: usize = 8;
const UNICODE: usize = 12;

/// A document being written.
pub struct Paper {
    out: Vec<u8>,
    /// Bytes that were taken away.
    gone: usize,
    /// Where each object begins, by its number.
    at: Vec<usize>,
    pages: Vec<usize>,
    content: String,
    /// Where the next line stands.
    y: f64,
    title: String,
    faces: [Face; 2],
}

/// How a line of text is set.
#[derive(Clone, Copy)]
struct Set {
    size: f64,
    weight: Weight,
    left: f64,
    /// How far the text may run.
    right: f64,
}

impl Paper {
    pub fn begin(title: &str) -> Paper {
        let mut paper = Paper {
            out: Vec::new(),
            gone: 0,
            at: vec![0; UNICODE + 2],
            pages: Vec::new(),
            content: String::new(),
            y: HIGH - EDGE,
            title: title.to_owned(),
            faces: [face(Weight::Regular), face(Weight::Bold)],
        };
        // The second line says that the file is not text.
        paper.out.extend_from_slice(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n");
        paper.object(
            CATALOGUE,
            &format!(
                "<< /Type /Catalog /Pages {PAGES} 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>"
            ),
        );
        let info = format!("<< /Title {} /Producer (Tidegate) >>", text_string(title));
        paper.object(INFO, &info);
        paper.fonts();
        paper.paragraph(title, Set { size: 17.0, weight: Weight::Bold, left: EDGE, right: WIDE - EDGE }, 8.0);
        paper
    }

    /// What was written since the last time.
    pub fn take(&mut self) -> Vec<u8> {
        self.gone += self.out.len();
        std::mem::take(&mut self.out)
    }

    /// Ends the page, where anything stands on it.
    pub fn new_page(&mut self) {
        if self.content.is_empty() {
            return;
        }
        let number = self.pages.len() + 1;
        let foot = format!("{} · page {number}", self.title);
        self.put(&foot, Set { size: 7.5, weight: Weight::Regular, left: EDGE, right: WIDE - EDGE }, EDGE - 22.0);
        let content = std::mem::take(&mut self.content);
        let (stream, page) = (self.at.len(), self.at.len() + 1);
        self.at.resize(page + 1, 0);
        self.stream(stream, "", content.as_bytes());
        let body = format!(
            "<< /Type /Page /Parent {PAGES} 0 R /MediaBox [0 0 {WIDE} {HIGH}] /Contents {stream} 0 R \
             /Resources << /Font << /R {REGULAR} 0 R /B {BOLD} 0 R >> >> >>"
        );
        self.object(page, &body);
        self.pages.push(page);
        self.y = HIGH - EDGE;
    }

    pub fn block(&mut self, block: &Block) {
        let whole = Set { size: 9.5, weight: Weight::Regular, left: EDGE, right: WIDE - EDGE };
        match block {
            Block::Title { text, context } => {
                self.y -= 8.0;
                self.keep(60.0);
                self.paragraph(text, Set { size: 13.0, weight: Weight::Bold, ..whole }, 2.0);
                self.paragraph(context, Set { size: 8.0, ..whole }, 2.0);
            }
            Block::Line(line) => self.line(line, whole),
            Block::List { says, lines, .. } => {
                self.heading(says, whole);
                for line in lines {
                    self.line(line, whole);
                }
                self.y -= 4.0;
            }
            Block::Facts { pairs } => {
                for (name, value) in pairs {
                    self.fact(name, value, whole);
                }
                self.y -= 4.0;
            }
            Block::Quote { text } => self.paragraph(text, Set { left: EDGE + 14.0, ..whole }, 3.0),
            Block::Code { says, text } => {
                self.heading(says, whole);
                for line in text.lines() {
                    self.paragraph(line, Set { size: 8.0, left: EDGE + 10.0, ..whole }, 0.5);
                }
                self.y -= 4.0;
            }
            Block::Picture { alt, .. } => self.paragraph(alt, Set { size: 8.5, ..whole }, 2.0),
            Block::Divider => self.y -= 8.0,
        }
    }

    /// Lines that a program reads, with everything beyond ASCII in JSON's own escapes, so that nothing is lost on paper.
    pub fn listing(&mut self, text: &str) {
        let set = Set { size: 6.0, weight: Weight::Regular, left: EDGE, right: WIDE - EDGE };
        for line in text.lines() {
            let mut ascii = String::with_capacity(line.len());
            for c in line.chars() {
                if c.is_ascii() {
                    ascii.push(c);
                } else {
                    c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| {
                        // A string takes whatever is written to it.
                        let _ = write!(ascii, "\\u{unit:04x}");
                    });
                }
            }
            self.paragraph(&ascii, set, 1.5);
        }
    }

    /// The last page, the list of pages, and where everything begins.
    pub fn end(mut self) -> Vec<u8> {
        self.new_page();
        let kids: Vec<String> = self.pages.iter().map(|page| format!("{page} 0 R")).collect();
        let body = format!("<< /Type /Pages /Count {} /Kids [{}] >>", kids.len(), kids.join(" "));
        self.object(PAGES, &body);
        let begin = self.gone + self.out.len();
        let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", self.at.len());
        for at in &self.at[1..] {
            let _ = writeln!(table, "{at:010} 00000 n ");
        }
        let size = self.at.len();
        let _ = write!(
            table,
            "trailer\n<< /Size {size} /Root {CATALOGUE} 0 R /Info {INFO} 0 R >>\nstartxref\n{begin}\n%%EOF\n"
        );
        self.out.extend_from_slice(table.as_bytes());
        self.take()
    }

    fn heading(&mut self, says: &str, whole: Set) {
        if !says.is_empty() {
            self.y -= 5.0;
            self.keep(34.0);
            self.paragraph(says, Set { size: 10.0, weight: Weight::Bold, ..whole }, 1.0);
        }
    }

    fn line(&mut self, line: &Line, whole: Set) {
        let mut text: String = line.spans.iter().map(|span| span.text.as_str()).collect();
        if let Some(code) = &line.code {
            let _ = write!(text, "  {code}");
        }
        let Some(mark) = line.mark else {
            return self.paragraph(&text, whole, 1.5);
        };
        self.keep(whole.size * 1.4);
        let at = self.y;
        self.put(sign(mark), Set { weight: Weight::Bold, ..whole }, at - whole.size);
        self.paragraph(&text, Set { left: whole.left + 14.0, ..whole }, 1.5);
    }

    fn fact(&mut self, name: &str, value: &str, whole: Set) {
        self.keep(whole.size * 1.4);
        let at = self.y;
        self.put(name, Set { size: 8.5, right: EDGE + 112.0, ..whole }, at - whole.size);
        self.paragraph(value, Set { left: EDGE + 120.0, ..whole }, 2.0);
    }

    /// Text in as many lines and pages as it takes, and some room below.
    fn paragraph(&mut self, text: &str, set: Set, below: f64) {
        for line in text.lines() {
            for line in self.wrapped(line, set) {
                self.keep(set.size * 1.4);
                let at = self.y - set.size;
                self.put(&line, set, at);
                self.y -= set.size * 1.32;
            }
        }
        if !text.is_empty() {
            self.y -= below;
        }
    }

    /// Begins another page where less than this is left.
    fn keep(&mut self, points: f64) {
        if self.y - points < EDGE {
            self.new_page();
        }
    }

    fn face(&self, weight: Weight) -> &Face {
        &self.faces[usize::from(weight == Weight::Bold)]
    }

    fn width(&self, c: char, set: Set) -> f64 {
        self.glyph(c, set.weight).1 * set.size
    }

    /// What the font lacks is shown as a question mark, never left out.
    fn glyph(&self, c: char, weight: Weight) -> (u16, f64) {
        let glyphs = self.face(weight).glyphs;
        let found = glyphs.get(&c).or_else(|| glyphs.get(&'?'));
        found.copied().unwrap_or((0, 0.5))
    }

    /// Lines that fit, broken at spaces, or anywhere in a word that is too long for one.
    fn wrapped(&self, text: &str, set: Set) -> Vec<String> {
        let most = set.right - set.left;
        let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0.0);
        for c in text.chars() {
            let c = if c.is_control() { ' ' } else { c };
            let wide = self.width(c, set);
            if used + wide > most && !line.is_empty() {
                let tail = match line.rfind(' ') {
                    Some(at) if line.len() - at < 60 => line.split_off(at + 1),
                    _ => String::new(),
                };
                lines.push(std::mem::take(&mut line));
                used = tail.chars().map(|c| self.width(c, set)).sum();
                line = tail;
            }
            line.push(c);
            used += wide;
        }
        lines.push(line);
        lines
    }

    /// One line at a height, in glyphs of the face.
    fn put(&mut self, text: &str, set: Set, y: f64) {
        let mut hex = String::with_capacity(4 * text.len());
        for c in text.chars() {
            let _ = write!(hex, "{:04x}", self.glyph(c, set.weight).0);
        }
        let name = if set.weight == Weight::Bold { 'B' } else { 'R' };
        let _ = writeln!(self.content, "BT /{name} {} Tf 1 0 0 1 {:.2} {y:.2} Tm <{hex}> Tj ET", set.size, set.left);
    }

    fn fonts(&mut self) {
        for (at, weight) in [(REGULAR, Weight::Regular), (BOLD, Weight::Bold)] {
            let name = if at == BOLD { "TGAAAA+DejaVuSansCondensed-Bold" } else { "TGAAAA+DejaVuSansCondensed" };
            let (widths, unicode, [left, low, right, up, ascent, descent], file) = {
                let face = self.face(weight);
                let by_glyph: BTreeMap<u16, (char, f64)> =
                    face.glyphs.iter().map(|(c, (glyph, advance))| (*glyph, (*c, *advance))).collect();
                let mut widths = String::new();
                for (glyph, (_, advance)) in &by_glyph {
                    let _ = write!(widths, "{glyph} [{:.0}] ", advance * 1_000.0);
                }
                (widths, to_unicode(&by_glyph), face.bounds, face.file)
            };
            let (descendant, descriptor, data) = (at + 1, at + 2, at + 3);
            let map = UNICODE + usize::from(at == BOLD);
            let font = format!(
                "<< /Type /Font /Subtype /Type0 /BaseFont /{name} /Encoding /Identity-H /DescendantFonts [{descendant} 0 R] \
                 /ToUnicode {map} 0 R >>"
            );
            self.object(at, &font);
            let cid = format!(
                "<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{name} /CIDToGIDMap /Identity /DW 600 /W [{widths}] \
                 /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor {descriptor} 0 R >>"
            );
            self.object(descendant, &cid);
            let about = format!(
                "<< /Type /FontDescriptor /FontName /{name} /Flags 4 /FontBBox [{left} {low} {right} {up}] /ItalicAngle 0 \
                 /Ascent {ascent} /Descent {descent} /CapHeight {ascent} /StemV 80 /FontFile2 {data} 0 R >>"
            );
            self.object(descriptor, &about);
            self.stream(data, &format!("/Length1 {} ", file.len()), file);
            self.stream(map, "", unicode.as_bytes());
        }
    }

    fn object(&mut self, number: usize, body: &str) {
        self.at[number] = self.gone + self.out.len();
        self.out.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }

    fn stream(&mut self, number: usize, more: &str, bytes: &[u8]) {
        self.at[number] = self.gone + self.out.len();
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::default());
        let packed =
            packed.write_all(bytes).and_then(|()| packed.finish()).expect("memory takes what is written to it");
        let head = format!("{number} 0 obj\n<< {more}/Length {} /Filter /FlateDecode >>\nstream\n", packed.len());
        self.out.extend_from_slice(head.as_bytes());
        self.out.extend_from_slice(&packed);
        self.out.extend_from_slice(b"\nendstream\nendobj\n");
    }
}

impl std::fmt::Debug for Paper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Paper({} pages)", self.pages.len())
    }
}

/// What each glyph means, so that text can be searched for and copied.
fn to_unicode(glyphs: &BTreeMap<u16, (char, f64)>) -> String {
    let mut map = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /T def /CMapType 2 def\n\
                   1 begincodespacerange <0000> <ffff> endcodespacerange\n"
        .to_owned();
    let all: Vec<_> = glyphs.iter().collect();
    for some in all.chunks(100) {
        let _ = writeln!(map, "{} beginbfchar", some.len());
        for (glyph, (c, _)) in some {
            let units: String = c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("{unit:04x}")).collect();
            let _ = writeln!(map, "<{glyph:04x}> <{units}>");
        }
        map.push_str("endbfchar\n");
    }
    map.push_str("endcmap CMapName currentdict /CMap defineresource pop end end\n");
    map
}

/// A text string: UTF-16 with its mark, in hexadecimal.
fn text_string(text: &str) -> String {
    let units: String = text.encode_utf16().map(|unit| format!("{unit:04x}")).collect();
    format!("<feff{units}>")
}

/// A sign that the font has.
fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Critical | Mark::Object | Mark::Alert => "×",
        Mark::Caution | Mark::Back => "!",
        Mark::Pass | Mark::Approve | Mark::Recovered | Mark::Finish => "+",
        Mark::Unknown => "?",
        Mark::Hold | Mark::Watch | Mark::Info | Mark::Window | Mark::Start | Mark::Note => "·",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every offset of the table leads to its object, whatever was taken away in between.
    #[test]
    fn every_object_is_where_the_table_says() {
        let mut paper = Paper::begin("Evidence for shop-1");
        let mut out = paper.take();
        for _ in 0..40 {
            let line = Line::marked(Mark::Pass, "A line of words. ".repeat(20));
            paper.block(&Block::List { says: "Title".to_owned(), lines: vec![line], folded: false });
            paper.listing(&format!("{{\"bytes\":\"{}\"}}", "ü".repeat(300)));
            out.extend(paper.take());
        }
        out.extend(paper.end());
        let text = String::from_utf8_lossy(&out).into_owned();
        let find = |what: &str| out.windows(what.len()).rposition(|found| found == what.as_bytes()).unwrap();
        let table = find("xref\n0 ");
        let start: usize = text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        // `startxref` itself ends with the same word.
        assert_eq!(&out[start..start + 7], b"xref\n0 ");
        assert_eq!(start, table);
        let rows = std::str::from_utf8(&out[start..]).unwrap().lines().skip(3).take_while(|row| row.ends_with("n "));
        let mut objects = 0;
        for (number, row) in rows.enumerate() {
            let at: usize = row[..10].parse().unwrap();
            let head = format!("{} 0 obj\n", number + 1);
            assert_eq!(&out[at..at + head.len()], head.as_bytes());
            objects += 1;
        }
        assert!(objects > 20, "{objects}");
    }
}
