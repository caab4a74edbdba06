//! A screenshot in few colours: flat areas and text lose nothing that an eye would miss, and a repository stays small.

use std::collections::HashMap;

/// The same picture with at most 256 colours.
pub fn small(screenshot: &[u8]) -> Vec<u8> {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(screenshot));
    decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let frame = reader.next_frame(&mut bytes).unwrap();
    let pixels: Vec<[u8; 3]> = bytes[..frame.buffer_size()].chunks_exact(4).map(|p| [p[0], p[1], p[2]]).collect();

    // The commonest colours as they are, which areas have; of the rest, which letters' edges have, no two that are close.
    let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
    for pixel in &pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut common: Vec<([u8; 3], usize)> = counts.into_iter().collect();
    common.sort_by_key(|(colour, count)| (std::cmp::Reverse(*count), *colour));
    let mut palette: Vec<[u8; 3]> = Vec::new();
    for (colour, _) in &common {
        let apart = if palette.len() < 40 { 0 } else { 250 };
        if palette.len() < 256 && palette.iter().all(|known| distance(*known, *colour) > apart) {
            palette.push(*colour);
        }
    }
    let nearest: HashMap<[u8; 3], u8> = common
        .iter()
        .map(|(colour, _)| {
            let near = (0..palette.len()).min_by_key(|at| distance(palette[*at], *colour)).unwrap();
            (*colour, u8::try_from(near).unwrap())
        })
        .collect();

    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, frame.width, frame.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(palette.concat());
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let indices: Vec<u8> = pixels.iter().map(|pixel| nearest[pixel]).collect();
    encoder.write_header().unwrap().write_image_data(&indices).unwrap();
    out
}

fn distance(a: [u8; 3], b: [u8; 3]) -> u32 {
    (0..3).map(|i| u32::from(a[i].abs_diff(b[i])).pow(2)).sum()
}
