//! Writes SVG: the few shapes that the pictures use, every number bounded, every text escaped.

use std::fmt::Write;

use super::font::{Type, Weight};
use super::ink::{Ink, Theme, page_style};

/// Written for browsers; the renderer of PNG knows one family and takes it for the last.
const FAMILIES: &str = "'DejaVu Sans Condensed','Segoe UI',Roboto,'Helvetica Neue',Arial,'Liberation Sans',sans-serif";

/// No coordinate lies further out.
const FAR: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    pub x: f64,
    pub y: f64,
    pub w: f64,
    pub h: f64,
}

impl Area {
    pub const fn new(x: f64, y: f64, w: f64, h: f64) -> Area {
        Area { x, y, w, h }
    }

    pub fn right(self) -> f64 {
        self.x + self.w
    }

    pub fn bottom(self) -> f64 {
        self.y + self.h
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// A picture in the making.
#[derive(Debug)]
pub struct Canvas {
    theme: Theme,
    width: f64,
    body: String,
}

impl Canvas {
    pub fn new(theme: Theme, width: f64) -> Canvas {
        Canvas { theme, width, body: String::with_capacity(16 * 1024) }
    }

    pub fn rect(&mut self, area: Area, radius: f64, ink: Ink) {
        self.tint(area, radius, ink, 1.0);
    }

    pub fn tint(&mut self, area: Area, radius: f64, ink: Ink, opacity: f64) {
        let fill = self.fill(ink, opacity);
        self.boxed(area, radius, &fill);
    }

    pub fn frame(&mut self, area: Area, radius: f64, ink: Ink, thick: f64, dash: bool) {
        let stroke = self.stroke(ink, thick, dash);
        self.boxed(area, radius, &stroke);
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), ink: Ink, thick: f64, dash: bool) {
        let stroke = self.stroke(ink, thick, dash);
        let (x1, y1, x2, y2) = (num(from.0), num(from.1), num(to.0), num(to.1));
        self.push(format_args!("<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\" {stroke}/>"));
    }

    pub fn circle(&mut self, x: f64, y: f64, r: f64, ink: Ink) {
        let fill = self.fill(ink, 1.0);
        self.push(format_args!("<circle cx=\"{}\" cy=\"{}\" r=\"{}\" {fill}/>", num(x), num(y), num(r)));
    }

    pub fn ring(&mut self, x: f64, y: f64, r: f64, ink: Ink, thick: f64) {
        let stroke = self.stroke(ink, thick, false);
        let (x, y, r) = (num(x), num(y), num(r));
        self.push(format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" {stroke}/>"));
    }

    /// A line through points.
    pub fn curve(&mut self, points: &[(f64, f64)], ink: Ink, thick: f64, dash: bool) {
        if points.len() > 1 {
            let stroke = self.stroke(ink, thick, dash);
            let d = through(points);
            self.push(format_args!("<path d=\"{d}\" {stroke} stroke-linejoin=\"round\"/>"));
        }
    }

    /// The shape inside points.
    pub fn shape(&mut self, points: &[(f64, f64)], ink: Ink, opacity: f64) {
        if points.len() > 2 {
            let fill = self.fill(ink, opacity);
            let d = through(points);
            self.push(format_args!("<path d=\"{d}Z\" {fill}/>"));
        }
    }

    /// Slanting lines, `gap` pixels apart, held inside an area.
    pub fn hatch(&mut self, area: Area, gap: f64, ink: Ink, thick: f64) {
        if !(area.w > 0.0 && area.h > 0.0 && gap >= 2.0 && area.w + area.h < FAR) {
            return;
        }
        let mut d = String::new();
        // Aligned to the picture, so that neighbouring areas run on into each other: lines where x + y is a multiple.
        let mut sum = ((area.x + area.y) / gap).ceil() * gap;
        while sum < area.right() + area.bottom() {
            let x1 = (sum - area.bottom()).max(area.x);
            let x2 = (sum - area.y).min(area.right());
            if x2 > x1 {
                let _ = write!(d, "M{} {}L{} {}", num(x1), num(sum - x1), num(x2), num(sum - x2));
            }
            sum += gap;
        }
        if !d.is_empty() {
            let stroke = self.stroke(ink, thick, false);
            self.push(format_args!("<path d=\"{d}\" {stroke}/>"));
        }
    }

    /// Text with its baseline at `y`.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, kind: Type, ink: Ink, text: &str) {
        let paint = self.fill(ink, 1.0);
        self.write(at, anchor, kind, text, &paint);
    }

    /// Text that stands on lines and areas: with a rim of what lies behind.
    pub fn text_on(&mut self, at: (f64, f64), anchor: Anchor, kind: Type, inks: (Ink, Ink), text: &str) {
        let paint = self.paint(Some((inks.0, 1.0)), Some((inks.1, 3.0)));
        self.write(at, anchor, kind, text, &format!("{paint} paint-order=\"stroke\" stroke-linejoin=\"round\""));
    }

    /// The whole picture, `height` high, saying `alt` to those who do not see it.
    pub fn finish(self, height: f64, alt: &str) -> String {
        let (w, h) = (num(self.width), num(height));
        let style = if self.theme == Theme::Page { format!("<style>{}</style>", page_style()) } else { String::new() };
        let fill = self.fill(Ink::Paper, 1.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"tg-picture\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{}\" font-family=\"{FAMILIES}\">{style}\
             <rect width=\"{w}\" height=\"{h}\" {fill}/>{}</svg>",
            escape(alt),
            self.body
        )
    }

    fn write(&mut self, at: (f64, f64), anchor: Anchor, kind: Type, text: &str, paint: &str) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let weight = match kind.weight {
            Weight::Regular => "",
            Weight::Bold => " font-weight=\"700\"",
        };
        let (x, y, size, text) = (num(at.0), num(at.1), num(kind.size), escape(text));
        self.push(format_args!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\"{weight}{anchor} {paint}>{text}</text>"));
    }

    fn boxed(&mut self, area: Area, radius: f64, paint: &str) {
        if area.w > 0.0 && area.h > 0.0 {
            let (x, y, w, h) = (num(area.x), num(area.y), num(area.w), num(area.h));
            let r = num(radius.min(area.w / 2.0).min(area.h / 2.0));
            self.push(format_args!("<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{r}\" {paint}/>"));
        }
    }

    fn fill(&self, ink: Ink, opacity: f64) -> String {
        self.paint(Some((ink, opacity)), None)
    }

    fn stroke(&self, ink: Ink, thick: f64, dash: bool) -> String {
        let dash = if dash { " stroke-dasharray=\"3 3\"" } else { "" };
        format!("{}{dash}", self.paint(None, Some((ink, thick))))
    }

    /// How something is painted: filled with an ink, as opaque as this; outlined with an ink, as thick as this.
    fn paint(&self, fill: Option<(Ink, f64)>, stroke: Option<(Ink, f64)>) -> String {
        let mut out = String::new();
        let mut classes = Vec::new();
        match fill {
            None => out.push_str("fill=\"none\""),
            Some((ink, opacity)) => {
                let _ = write!(out, "fill=\"{}\"", ink.colour(self.theme));
                if opacity < 1.0 {
                    let _ = write!(out, " fill-opacity=\"{}\"", num(opacity));
                }
                classes.push(format!("f-{}", ink.name()));
            }
        }
        if let Some((ink, thick)) = stroke {
            let _ = write!(out, " stroke=\"{}\" stroke-width=\"{}\"", ink.colour(self.theme), num(thick));
            classes.push(format!("s-{}", ink.name()));
        }
        if self.theme == Theme::Page && !classes.is_empty() {
            let _ = write!(out, " class=\"{}\"", classes.join(" "));
        }
        out
    }

    fn push(&mut self, element: std::fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(element);
        self.body.push('\n');
    }
}

/// A number as SVG writes it: at most two decimals, finite, near.
fn num(value: f64) -> String {
    let value = if value.is_finite() { value.clamp(-FAR, FAR) } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

fn through(points: &[(f64, f64)]) -> String {
    let mut d = String::with_capacity(points.len() * 12);
    for (n, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{} {}", if n == 0 { 'M' } else { 'L' }, num(*x), num(*y));
    }
    d
}

/// Text for XML, in elements and attributes; characters that XML 1.0 has no place for are left out.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_finite() {
        for (value, text) in [(1.0, "1"), (0.126, "0.13"), (-0.001, "0"), (f64::NAN, "0"), (1e300, "10000")] {
            assert_eq!(num(value), text);
        }
        assert_eq!(num(100.0), "100");
    }

    #[test]
    fn text_cannot_leave_its_element() {
        assert_eq!(escape("</text><script a='\"'>\u{0}&"), "&lt;/text&gt;&lt;script a=&#39;&quot;&#39;&gt;&amp;");
    }

    #[test]
    fn a_hatch_stays_in_its_area() {
        let mut canvas = Canvas::new(Theme::Light, 100.0);
        canvas.hatch(Area::new(10.0, 20.0, 30.0, 5.0), 6.0, Ink::Stop, 1.0);
        let numbers: Vec<f64> = canvas
            .body
            .split_once("d=\"")
            .unwrap()
            .1
            .split_once('"')
            .unwrap()
            .0
            .split(['M', 'L', ' '])
            .filter(|part| !part.is_empty())
            .map(|part| part.parse().unwrap())
            .collect();
        assert!(numbers.len() >= 4);
        for pair in numbers.chunks(2) {
            assert!((10.0..=40.0).contains(&pair[0]) && (20.0..=25.0).contains(&pair[1]), "{pair:?}");
        }
    }
}
