//! SVG of ours to PNG.

use anyhow::Context;
use resvg::{tiny_skia, usvg};

use super::font;

/// Pixels for each unit of the SVG.
const SCALE: f32 = 2.0;

/// Pictures of ours are far smaller; a bigger one is refused rather than allocated.
const LARGEST: u32 = 4_096;

/// Draws an SVG picture of this module as PNG, two pixels for each unit.
///
/// # Errors
/// Where the SVG does not parse or is larger than 4096 pixels a side; neither happens to what this module makes.
pub fn png(svg: &str) -> anyhow::Result<Vec<u8>> {
    let options = usvg::Options {
        fontdb: font::database(),
        font_family: font::FAMILY.to_owned(),
        // A picture of ours refers to nothing outside; if it ever did, nothing would be loaded.
        image_href_resolver: usvg::ImageHrefResolver {
            resolve_data: Box::new(|_, _, _| None),
            resolve_string: Box::new(|_, _| None),
        },
        ..usvg::Options::default()
    };
    let tree = usvg::Tree::from_str(svg, &options).context("reading the picture's SVG")?;
    let size = tree.size().to_int_size().scale_by(SCALE).context("scaling the picture")?;
    anyhow::ensure!(size.width() <= LARGEST && size.height() <= LARGEST, "the picture is too large");
    let mut pixels = tiny_skia::Pixmap::new(size.width(), size.height()).context("making room for the picture")?;
    resvg::render(&tree, tiny_skia::Transform::from_scale(SCALE, SCALE), &mut pixels.as_mut());
    pixels.encode_png().context("encoding the picture")
}
