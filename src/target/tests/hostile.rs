//! Text that nobody should paste.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;

#[test]
fn an_open_quote_is_said_and_does_not_hide_the_next_line() {
    let findings = findings("kubectl apply -f 'x.yaml\nkubectl delete ns checkout");
    assert_eq!(findings[0].verdict, Verdict::CannotTell);
    assert_eq!(findings[0].says, "Line 1 has a quote that does not close: what its command aims at cannot be told.");
    assert_eq!(findings[1].level, crate::advice::FlagLevel::Critical);
}

#[test]
fn a_text_that_is_too_long_is_said_to_be() {
    let findings = findings(&"kubectl apply -f x.yaml # and on and on\n".repeat(5_000));
    let last = findings.last().expect("a finding");
    assert_eq!(last.says, "The commands are 200000 bytes long; only the first 65,536 were read.");
    assert!(findings.iter().any(|finding| finding.says.contains("more commands")));
    assert!(findings.len() < 210);
}

#[test]
fn control_characters_are_named_and_not_repeated() {
    let findings = findings("kubectl apply -f x\u{1b}[2K\u{202e}.yaml");
    assert!(findings[0].says.contains("U+001B is a control character"), "{}", findings[0].says);
    assert!(findings.iter().all(|finding| !finding.says.contains(['\u{1b}', '\u{202e}'])));
}

#[test]
fn hostile_texts_take_little_time() {
    let pieces = [
        "$(",
        "`",
        "'",
        "\"",
        "(",
        "((",
        "{",
        "<<E\n",
        "\\",
        "a=$a$a;",
        "if ",
        "$((",
        "${",
        "<(",
        "|",
        "ssh h ",
        "bash -c \"",
        "for x in ",
        "case x in ",
        "\n'",
        "\n$(",
        "\0",
        "é",
        "-",
        "a b;",
        "kubectl $(",
        "\u{a0}",
    ];
    for piece in pieces {
        let text = piece.repeat(100_000 / piece.len());
        let start = Instant::now();
        let findings = findings(&text);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(5), "{piece:?} took {took:?}");
        assert!(findings.last().is_some_and(|last| last.says.contains("only the first")), "{piece:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,400}") {
        let _ = findings(&text);
    }

    #[test]
    fn no_shell_like_text_makes_it_panic(words in prop::collection::vec(prop::sample::select(vec![
        "kubectl", "apply", "--context", "prod-us", "-n", "$X", "$(", ")", "(", "'", "\"", "`", "\\", "\n", ";", "&&", "||", "|", "<<E",
        "E", "if", "then", "else", "fi", "for", "in", "do", "done", "case", "esac", "{", "}", "=", "A=b", "export", "ssh", "host", "terraform",
        "aws", "psql", "cd", "..", "-", "--", "é", "-é", "sudo", "env", "\u{200b}", "2>", "&", "#", "=x", "arn:aws:", "user@", ":", "-nx",
    ]), 0..60), glue in prop::sample::select(vec!["", " "])) {
        let _ = findings(&words.join(glue));
    }
}
