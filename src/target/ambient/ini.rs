//! Files of sections and `key = value` lines: AWS, gcloud, git, Ansible.

/// Calls of the file's own order: section, key, value. Comments and blank lines are left out; keys are lower case.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (&str, String, &str)> {
    let mut section = "";
    text.lines().filter_map(move |line| {
        let trimmed = line.trim().trim_start_matches('\u{feff}');
        if trimmed.starts_with(['#', ';']) || trimmed.is_empty() {
            return None;
        }
        if let Some(name) = trimmed.strip_prefix('[') {
            section = name.split(']').next().unwrap_or("").trim();
            return None;
        }
        let (key, value) = trimmed.split_once('=')?;
        let value = value.split(" #").next().unwrap_or("").split(" ;").next().unwrap_or("").trim();
        Some((section, key.trim().to_ascii_lowercase(), value))
    })
}

/// The last value of a key in a section, unless it is empty.
pub(super) fn value<'a>(text: &'a str, section: &str, key: &str) -> Option<&'a str> {
    let found = entries(text).filter(|(within, name, _)| *within == section && name == key).last();
    found.map(|(_, _, value)| value).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_and_comments_are_told_apart() {
        let text = "# x\n[default]\nregion=eu-west-1\n[profile prod]\nregion = us-east-1 # here\n; role = x\nrole =\n";
        assert_eq!(value(text, "default", "region"), Some("eu-west-1"));
        assert_eq!(value(text, "profile prod", "region"), Some("us-east-1"));
        assert_eq!(value(text, "profile prod", "role"), None);
        assert_eq!(value(text, "profile staging", "region"), None);
    }
}
