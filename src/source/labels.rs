//! What the labels of an issue say, wherever issues are how incidents are kept: whom it concerns, how bad it is, whether it
//! blocks deployments.

use crate::config::Settings;
use crate::message::tame;
use crate::name::Service;

/// The longest severity that is told, in characters.
const LONGEST: usize = 40;

/// Services that labels name: `shop`, `service:shop`, or `service::shop` as GitLab's scoped labels are written.
pub(super) fn services(labels: &[String], settings: &Settings) -> Vec<Service> {
    let named = |name: &&Service| {
        let names = |label: &String| label.trim() == name.as_str() || after(label, "service") == Some(name.as_str());
        labels.iter().any(names)
    };
    settings.service.keys().filter(named).cloned().collect()
}

/// `severity: high`, `sev:1`, `severity::2`.
pub(super) fn severity(labels: &[String]) -> Option<String> {
    let found = |key: &str| labels.iter().find_map(|label| after(label, key));
    found("severity").or_else(|| found("sev")).map(|severity| tame(severity, LONGEST))
}

/// Whether somebody marked it as blocking deployments.
pub(super) fn blocks(labels: &[String]) -> bool {
    labels.iter().any(|label| label.trim().eq_ignore_ascii_case("blocks-deployments"))
}

fn after<'l>(label: &'l str, key: &str) -> Option<&'l str> {
    let (found, value) = label.split_once(':')?;
    let value = value.trim_start_matches(':').trim();
    (found.trim().eq_ignore_ascii_case(key) && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_tell_whom_and_how_bad() {
        let settings = "[team]\nname = 'Story'\nzone = 'UTC'\n[service.shop]\n[service.ledger]\n[service.search]\n";
        let settings = Settings::read(settings, "story", ".".into()).unwrap();
        let labels = ["service::shop", "ledger", "Severity: high", "Blocks-Deployments"].map(str::to_owned);
        assert_eq!(services(&labels, &settings), ["ledger".into(), "shop".into()]);
        assert_eq!(severity(&labels).as_deref(), Some("high"));
        assert!(blocks(&labels) && !blocks(&labels[..3]));
        assert_eq!(severity(&["severity:".to_owned(), "searching".to_owned()]), None);
    }
}
