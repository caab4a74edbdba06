//! A file to which every checkpoint is appended.

use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::Context;

/// As much of the file's end as is read back: some three hundred checkpoints.
const MOST: u64 = 64 * 1024;

pub fn append(file: &Path, note: &str) -> anyhow::Result<()> {
    let mut out = std::fs::File::options()
        .create(true)
        .append(true)
        .open(file)
        .with_context(|| format!("could not open {}", file.display()))?;
    out.write_all(format!("{note}\n").as_bytes())
        .and_then(|()| out.sync_data())
        .with_context(|| format!("could not write {}", file.display()))
}

/// The end of the file; a first note that was cut in two does not read and is left out by whoever reads it.
pub fn newest(file: &Path) -> Option<String> {
    let mut from = std::fs::File::open(file).ok()?;
    let length = from.metadata().ok()?.len();
    from.seek(SeekFrom::Start(length.saturating_sub(MOST))).ok()?;
    let mut bytes = Vec::new();
    from.take(MOST).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    if length <= MOST { Some(text) } else { text.split_once("\n\n").map(|(_, rest)| rest.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_shows_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("checkpoints.txt");
        for size in 0..1_000 {
            append(&file, &format!("tidegate.example/01TEST/1\n{size}\nPH6byTDck/AfppmF7yQtn56GHzxTVaokzl70tLinDMs=\n\n— tidegate.example/01TEST/1 AAAA\n")).unwrap();
        }
        let notes = crate::ledger::checkpoints_in(&newest(&file).unwrap());
        assert!(notes.len() > 300 && notes.last().unwrap().contains("\n999\n"), "{}", notes.len());
    }
}
