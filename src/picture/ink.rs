//! The colours, by what they mean.
//!
//! Hues follow Okabe and Ito's palette for all kinds of colour vision (<https://jfly.uni-koeln.de/color/>), darkened on
//! light paper and lightened on dark paper until words written in them reach a contrast of 4.5. No meaning rests on
//! colour alone: hatching, shape and words carry it too.

/// What a picture is drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
    /// For pages: light, and dark where the reader's system or an ancestor's `data-theme="dark"` asks for it.
    Page,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Paper,
    /// Working hours behind a plot.
    Day,
    /// Hours that belong to people.
    Evening,
    Night,
    Text,
    Soft,
    Grid,
    /// Bars that are neither good nor bad.
    Bar,
    Load,
    Good,
    /// Behind words in `Text`.
    GoodWash,
    /// Words on `Good`.
    OnGood,
    Costs,
    Stop,
    StopWash,
    Event,
    EventWash,
}

impl Ink {
    const ALL: [Ink; 17] = [
        Ink::Paper,
        Ink::Day,
        Ink::Evening,
        Ink::Night,
        Ink::Text,
        Ink::Soft,
        Ink::Grid,
        Ink::Bar,
        Ink::Load,
        Ink::Good,
        Ink::GoodWash,
        Ink::OnGood,
        Ink::Costs,
        Ink::Stop,
        Ink::StopWash,
        Ink::Event,
        Ink::EventWash,
    ];

    /// Its name in classes, and its colour on light and on dark paper.
    const fn row(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Ink::Paper => ("paper", "#ffffff", "#15191f"),
            Ink::Day => ("day", "#ffffff", "#20262e"),
            Ink::Evening => ("evening", "#f1f3f7", "#191e25"),
            Ink::Night => ("night", "#e4e8ef", "#101419"),
            Ink::Text => ("text", "#1a1f26", "#eef1f5"),
            Ink::Soft => ("soft", "#59636f", "#a5afbb"),
            Ink::Grid => ("grid", "#d5dae1", "#39424d"),
            Ink::Bar => ("bar", "#ccd4de", "#45515f"),
            Ink::Load => ("load", "#0072b2", "#56b4e9"),
            Ink::Good => ("good", "#007d5a", "#2fc79b"),
            Ink::GoodWash => ("goodwash", "#c4e8da", "#1b5243"),
            Ink::OnGood => ("ongood", "#ffffff", "#08110e"),
            Ink::Costs => ("costs", "#e69f00", "#f0b429"),
            Ink::Stop => ("stop", "#c24700", "#ff9460"),
            Ink::StopWash => ("stopwash", "#fbe0d0", "#54301d"),
            Ink::Event => ("event", "#9c3d73", "#e8a0c8"),
            Ink::EventWash => ("eventwash", "#f4d9e8", "#54304a"),
        }
    }

    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The colour to write down: for pages the light one, which [`page_style`] overrides.
    pub fn colour(self, theme: Theme) -> &'static str {
        match theme {
            Theme::Light | Theme::Page => self.row().1,
            Theme::Dark => self.row().2,
        }
    }
}

/// The rules that turn a picture for pages dark. Each picture carries them; nothing breaks where a page's policy keeps
/// inline styles out: the picture stays light.
pub fn page_style() -> String {
    let rules = |scope: &str| {
        Ink::ALL.iter().fold(String::new(), |mut css, ink| {
            let (name, _, dark) = ink.row();
            css.push_str(&format!("{scope} .f-{name}{{fill:{dark}}}{scope} .s-{name}{{stroke:{dark}}}"));
            css
        })
    };
    format!(
        "@media (prefers-color-scheme:dark){{{}}}{}",
        rules(":root:not([data-theme=light]) .tg-picture"),
        rules("[data-theme=dark] .tg-picture")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contrast as in WCAG 2.2, <https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio>.
    fn contrast(a: &str, b: &str) -> f64 {
        let light = |hex: &str| {
            let part = |at: usize| {
                let c = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
                if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
            };
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5)
        };
        let (a, b) = (light(a), light(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn words_can_be_read_on_whatever_lies_behind_them() {
        let pairs = [
            (Ink::Text, Ink::Paper),
            (Ink::Text, Ink::Night),
            (Ink::Text, Ink::Bar),
            (Ink::Text, Ink::GoodWash),
            (Ink::Text, Ink::StopWash),
            (Ink::Text, Ink::EventWash),
            (Ink::Soft, Ink::Paper),
            (Ink::Soft, Ink::Night),
            (Ink::OnGood, Ink::Good),
            (Ink::Good, Ink::Paper),
            (Ink::Stop, Ink::Paper),
            (Ink::Load, Ink::Day),
        ];
        for theme in [Theme::Light, Theme::Dark] {
            for (above, below) in pairs {
                let ratio = contrast(above.colour(theme), below.colour(theme));
                assert!(ratio >= 4.5, "{above:?} on {below:?}, {theme:?}: {ratio:.2}");
            }
        }
    }
}
