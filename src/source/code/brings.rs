//! Whether a change brings what a scanner found, and what kind of scanner it was.

use crate::advice::facts::{Change, FileStatus, FindingKind};

/// Whether a change brings what stands in this line of this file: it lies in a line that is new. In a touched file but
/// another line nobody can tell.
pub(in crate::source) fn is_new(change: Option<&Change>, path: &str, line: Option<u32>) -> Option<bool> {
    let change = change?;
    // Some tools write paths of the machine that they ran on.
    let same = |known: &str| path == known || path.ends_with(&format!("/{known}"));
    let touched = change.files.iter().find(|file| file.status != FileStatus::Removed && same(&file.path));
    let Some(file) = touched else {
        // Of a change that is told in part, what is not told may be touched too.
        return (change.files.len() >= change.file_count as usize).then_some(false);
    };
    let (Some(lines), Some(line)) = (&file.new_lines, line) else { return None };
    lines.iter().any(|(first, last)| (*first..=*last).contains(&line)).then_some(true)
}

/// What a tool looks at, by its name.
pub(in crate::source) fn kind_of(tool: &str) -> FindingKind {
    let tool = tool.to_ascii_lowercase();
    let is = |names: &[&str]| names.iter().any(|name| tool.contains(name));
    if is(&["gitleaks", "trufflehog", "secret"]) {
        FindingKind::Secret
    } else if is(&["trivy", "grype", "docker scout", "clair"]) {
        FindingKind::Container
    } else {
        FindingKind::Code
    }
}
