//! The base score of a CVSS 3 vector, by the formula of its specification (<https://www.first.org/cvss/v3-1/>, section 7.1).

/// 0 to 10; None where the vector is not one of version 3.
pub fn base(vector: &str) -> Option<f64> {
    let metrics = vector.strip_prefix("CVSS:3.0/").or_else(|| vector.strip_prefix("CVSS:3.1/"))?;
    let value = |name: &str| metrics.split('/').find_map(|metric| metric.strip_prefix(name)?.strip_prefix(':'));
    let changed = match value("S")? {
        "U" => false,
        "C" => true,
        _ => return None,
    };
    let reach = match value("AV")? {
        "N" => 0.85,
        "A" => 0.62,
        "L" => 0.55,
        "P" => 0.2,
        _ => return None,
    };
    let effort = match value("AC")? {
        "L" => 0.77,
        "H" => 0.44,
        _ => return None,
    };
    let rights = match (value("PR")?, changed) {
        ("N", _) => 0.85,
        ("L", false) => 0.62,
        ("L", true) => 0.68,
        ("H", false) => 0.27,
        ("H", true) => 0.5,
        _ => return None,
    };
    let help = match value("UI")? {
        "N" => 0.85,
        "R" => 0.62,
        _ => return None,
    };
    let loss = |name: &str| match value(name)? {
        "H" => Some(0.56),
        "L" => Some(0.22),
        "N" => Some(0.0),
        _ => None,
    };
    let lost: f64 = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if changed { 7.52 * (lost - 0.029) - 3.25 * (lost - 0.02).powi(15) } else { 6.42 * lost };
    if impact <= 0.0 {
        return Some(0.0);
    }
    let together = impact + 8.22 * reach * effort * rights * help;
    let score = if changed { 1.08 * together } else { together };
    // Rounded up to one decimal, as the specification's appendix A does it.
    Some(((score.min(10.0) * 100_000.0).round() / 10_000.0).ceil() / 10.0)
}

/// The word of a score (section 5).
pub fn word(score: f64) -> &'static str {
    match score {
        9.0.. => "critical",
        7.0.. => "high",
        4.0.. => "medium",
        _ => "low",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_those_that_the_databases_publish() {
        for (vector, score) in [
            // CVE-2021-44228, CVE-2014-0160 in its version 3, CVE-2020-26235, and one that loses nothing.
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
            ("CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H", 5.5),
            ("CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            assert_eq!(base(vector), Some(score), "{vector}");
        }
        assert_eq!(base("CVSS:4.0/AV:N"), None);
        assert_eq!(base("CVSS:3.1/AV:N/AC:L"), None);
    }
}
