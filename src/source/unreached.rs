//! Why an HTTP request got no answer, as a fragment that ends a sentence beginning with the source's name. Neither
//! address nor body is ever part of it: both may hold what is nobody's business.

use std::error::Error;

/// What went wrong on the way.
pub fn why(error: &reqwest::Error) -> String {
    let chain = chain(error);
    let has = |words: &[&str]| words.iter().any(|word| chain.contains(word));
    let says = if has(&["certificate expired", "certexpired", "expired:", "expired"]) && chain.contains("certificate") {
        "has a certificate that has expired"
    } else if has(&["certificate", "unknownissuer", "notvalidforname"]) {
        "has a certificate that is not trusted"
    } else if error.is_timeout() || has(&["timed out"]) {
        "did not answer in time"
    } else if has(&["connection refused"]) {
        "refused the connection"
    } else if has(&["dns error", "failed to lookup", "name or service not known", "no address"]) {
        "has a host name that leads nowhere"
    } else if has(&["tls", "handshake", "invalidcontenttype"]) {
        "does not speak TLS as expected"
    } else if error.is_connect() {
        "could not be reached"
    } else if error.is_redirect() {
        "answered with a redirect, which is not followed"
    } else if error.is_body() || error.is_decode() || has(&["connection closed", "connection reset", "incomplete"]) {
        "broke off its answer"
    } else {
        "did not give an answer that is understood"
    };
    says.to_owned()
}

/// What a status other than success says.
pub fn refused(status: reqwest::StatusCode) -> String {
    let number = status.as_u16();
    match number {
        401 | 403 => format!("refused the token ({number})"),
        404 => "has nothing at this address (404)".to_owned(),
        429 => "asks for fewer questions (429)".to_owned(),
        300..=399 => format!("answered with a redirect ({number}), which is not followed"),
        _ => format!("answered with an error ({number})"),
    }
}

/// Every cause of the error in lower case, for looking words up; never shown.
fn chain(error: &dyn Error) -> String {
    let mut text = String::new();
    let mut next = Some(error);
    while let Some(error) = next {
        text.push_str(&format!("{error} {error:?} ").to_lowercase());
        next = error.source();
        if text.len() > 20_000 {
            break;
        }
    }
    text
}
