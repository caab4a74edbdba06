//! A gate's answer, signed by the ledger's key: also a no can be shown years later to have been said, though it is no entry.
//!
//! A C2SP signed note: a heading that no checkpoint and no handover has, one line of canonical JSON, an empty line, the
//! signature. Whoever has the public key needs nothing else, neither the store nor the record.

use serde_json::{Map, Value};

use super::checkpoint::signature;
use super::key::PublicKey;
use super::proof::keys_at;
use super::verdict::{Damage, Finding, Verdict};
use super::verify::Trust;
use super::{Hash, Origin, Signed, Signer, canonical};

/// The first line of what is signed.
const HEADING: &str = "tidegate gate answer v1";
/// Bytes of a note at most.
const MAX_NOTE: usize = canonical::MAX_ENTRY + 1_024;
/// Fields of an answer that the statement repeats.
const REPEATED: [&str; 5] = ["verdict", "approved", "plan", "brief", "commit"];

/// What a gate said, with the signature under it, not believed yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Spoken {
    pub said: Map<String, Value>,
    text: String,
    origin: Origin,
    id: u32,
    signature: Vec<u8>,
}

impl Spoken {
    /// Signs a statement; `instance` is added to it.
    ///
    /// # Errors
    /// Where the statement has no canonical form.
    pub fn sign(mut said: Map<String, Value>, signer: &Signer) -> anyhow::Result<String> {
        said.insert("instance".to_owned(), signer.origin().to_string().into());
        Ok(signer.sign_text(&format!("{HEADING}\n{}\n", canonical::encode(&said)?)))
    }

    /// Whether a text is meant as one.
    pub fn is_meant(text: &str) -> bool {
        text.trim_start().starts_with(HEADING)
    }

    /// Reads a note. Carriage returns and space around it do no harm.
    pub fn parse(note: &str) -> Result<Spoken, &'static str> {
        if note.len() > MAX_NOTE {
            return Err("it is too long");
        }
        let lines: Vec<&str> = note.trim().lines().map(str::trim_end).collect();
        let [heading, line, "", signed] = lines.as_slice() else { return Err("it is not heading, line and signature") };
        if *heading != HEADING {
            return Err("its heading is another");
        }
        canonical::check(line).map_err(|_| "what it says is not in canonical form")?;
        let said: Map<String, Value> = serde_json::from_str(line).map_err(|_| "what it says is no object")?;
        let (name, id, signature) = signature(signed).ok_or("its signature does not read")?;
        let origin = Origin::parse(&name).map_err(|_| "its signature names no ledger")?;
        Ok(Spoken { said, text: format!("{heading}\n{line}\n"), origin, id, signature })
    }

    fn signed(&self, keys: &[PublicKey]) -> Signed {
        let mut signed = Signed::Stranger;
        for key in keys {
            match key.judge(&self.origin, self.id, &self.text, &self.signature) {
                Some(true) => signed = Signed::Yes,
                Some(false) => return Signed::False,
                None => {}
            }
        }
        signed
    }

    /// Judges it with nothing but public keys; `answer` is the whole answer that it came in, where there is one: it must
    /// say the same.
    pub fn verify(&self, trust: &Trust, answer: Option<&Value>) -> Verdict {
        let size = self.said.get("size").and_then(Value::as_u64).unwrap_or(0);
        let root = self.said.get("root").and_then(Value::as_str).and_then(|root| root.parse().ok());
        let mut verdict = Verdict::new(size, root.unwrap_or(Hash::of(b"")));
        let wrong = |says: String| Finding::new(None, Damage::Edited, says);
        match self.signed(&keys_at(&trust.keys, &[], size)) {
            Signed::Yes => {}
            Signed::False => verdict.findings.push(wrong("The answer is not the one that was signed.".to_owned())),
            Signed::Stranger if trust.keys.is_empty() => {
                let says = "no public key was given, so nobody is known to have signed the answer.";
                verdict.doubts.push(says.to_owned());
            }
            Signed::Stranger => {
                verdict.doubts.push("the answer is signed by a key that you did not name.".to_owned());
            }
        }
        if self.said.get("instance").and_then(Value::as_str) != Some(self.origin.to_string().as_str()) {
            verdict.findings.push(wrong("The answer names another instance than its signature.".to_owned()));
        }
        if let Some(answer) = answer {
            let differs = self.differing(answer);
            if !differs.is_empty() {
                let says = format!("The answer says something else than its signed statement: {}.", differs.join(", "));
                verdict.findings.push(wrong(says));
            }
        }
        verdict.concluded_with(|_| format!("Proved: {}", self.says()))
    }

    /// What of an answer is not what was signed.
    fn differing(&self, answer: &Value) -> Vec<&'static str> {
        let told = |name: &str| answer.get(name).filter(|value| !value.is_null());
        let mut differs: Vec<&'static str> =
            REPEATED.into_iter().filter(|name| told(name) != self.said.get(*name)).collect();
        let codes = answer.get("reasons").and_then(Value::as_array).into_iter().flatten();
        let codes: Vec<&Value> = codes.filter_map(|reason| reason.get("code")).collect();
        let signed: Vec<&Value> = self.said.get("reasons").and_then(Value::as_array).into_iter().flatten().collect();
        if codes != signed {
            differs.push("reasons");
        }
        differs
    }

    /// What it says, in a plain sentence.
    fn says(&self) -> String {
        let text = |name: &str| self.said.get(name).and_then(Value::as_str).unwrap_or_default();
        let plan = match text("plan") {
            "" => String::new(),
            plan => format!(" about {plan}"),
        };
        format!("the gate of {} said {}{plan} at {}.", self.origin, text("verdict"), text("at"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn signer(folder: &std::path::Path) -> Signer {
        Signer::open(folder, &Origin::parse("tidegate.example/01TEST/1").unwrap(), 0, None).unwrap()
    }

    fn said() -> Map<String, Value> {
        let said = json!({ "verdict": "waiting", "approved": false, "plan": "shop-1", "reasons": ["approval.missing"],
            "at": "2026-11-23T19:00:00.000Z" });
        said.as_object().unwrap().clone()
    }

    #[test]
    fn a_no_is_proved_by_the_key_alone_and_every_change_is_found() {
        let (data, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (signer, stranger) = (signer(data.path()), signer(other.path()));
        let note = Spoken::sign(said(), &signer).unwrap();
        assert!(Spoken::is_meant(&note) && Spoken::parse(&note.replace('\n', "\r\n")).is_ok());
        let trust = |signer: &Signer| Trust { keys: signer.trusted(), ..Trust::default() };
        let judged = |note: &str, trust: &Trust| Spoken::parse(note).unwrap().verify(trust, None);
        let sound = judged(&note, &trust(&signer));
        assert!(sound.ok, "{sound:?}");
        let says =
            "Proved: the gate of tidegate.example/01TEST/1 said waiting about shop-1 at 2026-11-23T19:00:00.000Z.";
        assert_eq!(sound.says, says);
        let forged = judged(&note.replace("\"waiting\"", "\"approved\""), &trust(&signer));
        assert_eq!(forged.findings[0].damage, Damage::Edited);
        assert!(!judged(&note, &trust(&stranger)).ok && judged(&note, &trust(&stranger)).findings.is_empty());
        assert!(!judged(&note, &Trust::default()).ok);
        let answer = json!({ "verdict": "waiting", "approved": false, "plan": "shop-1", "brief": null,
            "reasons": [{ "code": "approval.missing", "says": "Missing." }], "more": 1 });
        let with = |answer: &Value| Spoken::parse(&note).unwrap().verify(&trust(&signer), Some(answer));
        assert!(with(&answer).ok);
        for (name, value) in [("verdict", json!("approved")), ("plan", json!("shop-2")), ("reasons", json!([]))] {
            let mut other = answer.clone();
            other[name] = value;
            assert!(with(&other).says.contains(name), "{:?}", with(&other));
        }
    }

    #[test]
    fn what_is_signed_is_neither_a_checkpoint_nor_read_from_anything_else() {
        let data = tempfile::tempdir().unwrap();
        let note = Spoken::sign(said(), &signer(data.path())).unwrap();
        assert!(crate::ledger::SignedCheckpoint::parse(&note).is_err());
        for bad in ["", "x", &note.replace("v1", "v2"), &note.replace("{\"app", "{ \"app"), &note.replace("— ", "- ")]
        {
            assert!(Spoken::parse(bad).is_err(), "{bad}");
        }
    }
}
