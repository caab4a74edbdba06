//! What of an answer is signed: what was asked, what was said and why, about what, when.

use serde_json::{Map, Value};

use super::{Answer, Request};
use crate::clock::Time;
use crate::ledger::{SignedCheckpoint, Signer, Spoken};
use crate::message::tame;

/// The longest text of a question that is repeated, in characters.
const LONGEST: usize = 250;

/// Signs an answer with the ledger's key; what is absent is left out. `answer.checkpoint` is there already: size and root
/// of the record at that moment are part of it.
///
/// # Errors
/// Where the statement has no canonical form, which no answer should make.
pub fn signed(signer: &Signer, request: &Request, answer: &Answer, at: Time) -> anyhow::Result<String> {
    let mut said = Map::new();
    let mut put = |name: &str, value: Value| drop(said.insert(name.to_owned(), value));
    put("v", 1.into());
    put("at", at.rfc3339().into());
    put("asked", asked(request).into());
    put("verdict", answer.verdict.as_str().into());
    put("approved", answer.approved.into());
    put("enforced", answer.enforced.into());
    put("reasons", answer.reasons.iter().map(|reason| reason.code.clone()).collect());
    let texts = [("plan", &answer.plan), ("brief", &answer.brief), ("commit", &answer.commit)];
    for (name, text) in texts.into_iter().chain([("service", &answer.service), ("environment", &answer.environment)]) {
        if let Some(text) = text {
            put(name, text.as_str().into());
        }
    }
    if let Some(revision) = answer.revision {
        put("revision", revision.into());
    }
    if let Some(Ok(signed)) = answer.checkpoint.as_deref().map(SignedCheckpoint::parse) {
        put("size", signed.checkpoint.size.into());
        put("root", signed.checkpoint.root.to_string().into());
    }
    Spoken::sign(said, signer)
}

fn asked(request: &Request) -> Map<String, Value> {
    let texts = [
        ("plan", request.plan.as_ref().map(|plan| plan.as_str())),
        ("service", request.service.as_ref().map(|service| service.as_str())),
        ("environment", request.environment.as_ref().map(|environment| environment.as_str())),
        ("version", request.version.as_deref()),
        ("commit", request.commit.as_deref()),
        ("change", request.change.as_deref()),
    ];
    let mut asked: Map<String, Value> =
        texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), tame(text?, LONGEST).into()))).collect();
    if request.rollback {
        asked.insert("rollback".to_owned(), true.into());
    }
    asked
}
