//! Confirming an approval by signing in: the link from the private message, the way to the provider and back, and one POST.
//!
//! Nothing is kept for a sign-in under way: a secret in the browser's cookie gives its state, nonce and proof of the code,
//! so only the browser that began it can end it. What the provider said is kept with the step until it is confirmed.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use maud::{Markup, html};
use serde::Deserialize;
use sha2::Sha256;

use super::Site;
use super::answers::Answered;
use super::openid::token::Word;
use super::openid::{Attempt, Failed};
use crate::approval::second_step::{Proof, Step};
use crate::clock::MINUTE;
use crate::config::{SecondStep, Settings};
use crate::event::From;
use crate::ledger::{Statement, sha256};
use crate::message::tame;
use crate::name::{Person, new_id};
use crate::people;
use crate::plan::second_step::{self, Confirmation};
use crate::store::plan::{PlanRow, Revision};
use crate::webhook::signature::same;
use crate::wording::second_step as says;

const COOKIE: &str = "tidegate_confirm";
/// A sign-in under way lasts no longer than this, in seconds.
const LASTS: i64 = 900;
/// How long what the provider said may wait for the confirming POST.
const PROOF_HOLDS: i64 = 5 * MINUTE;

/// The link was opened: off to the provider. Opening it uses nothing up, for programs open links, too.
pub async fn begin(State(site): State<Site>, Path(link): Path<String>) -> Answered {
    let settings = site.app.settings();
    let found = site.app.store.step_of_link(&sha256(link.as_bytes())).await?;
    let Some(step) = found else { return page(StatusCode::NOT_FOUND, &says::no_such_link()) };
    if let Err(wrong) = usable(&site, &step).await? {
        return page(StatusCode::CONFLICT, &wrong);
    }
    let secret = fresh()?;
    let attempt = attempt(&secret, &step.id);
    let now = site.app.clock.now();
    match site.provider.begin(&settings, &attempt, now).await {
        Ok(url) => {
            let cookie = cookie(&settings, &secret, LASTS);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
        }
        Err(failed) => page(StatusCode::BAD_GATEWAY, &failed.says()),
    }
}

/// What comes back with the browser.
#[derive(Debug, Deserialize)]
pub struct Back {
    #[serde(default)]
    state: String,
    code: Option<String>,
    iss: Option<String>,
    error: Option<String>,
}

/// Back from the provider: who signed in, and whether it is the one whose reaction it was.
pub async fn returned(State(site): State<Site>, Query(back): Query<Back>, headers: HeaderMap) -> Answered {
    let settings = site.app.settings();
    let bound = secret_of(&headers).zip(back.state.split_once('.').map(|(step, _)| step.to_owned()));
    let bound = bound.filter(|(secret, step)| same(&attempt(secret, step).state, &back.state));
    let Some((secret, id)) = bound else { return page(StatusCode::BAD_REQUEST, &says::other_browser()) };
    let Some(step) = site.app.store.step(&id).await? else {
        return page(StatusCode::NOT_FOUND, &says::no_such_link());
    };
    let (row, revision) = match usable(&site, &step).await? {
        Ok(found) => found,
        Err(wrong) => return page(StatusCode::CONFLICT, &wrong),
    };
    if let Some(error) = &back.error {
        return page(StatusCode::FORBIDDEN, &says::not_signed_in(&tame(error, 60)));
    }
    let Some(code) = back.code.as_deref().filter(|code| code.len() <= 4_000) else {
        return page(StatusCode::BAD_REQUEST, &says::not_signed_in("no code came back"));
    };
    let now = site.app.clock.now();
    let attempt = attempt(&secret, &id);
    let word = match site.provider.redeem(&settings, &attempt, code, back.iss.as_deref(), now).await {
        Ok(word) => word,
        Err(failed) => {
            let status = match failed {
                Failed::Provider(_) => StatusCode::BAD_GATEWAY,
                Failed::Word(_) => StatusCode::FORBIDDEN,
            };
            let (plan, person, why) = (row.plan.id.as_str(), step.person.as_str(), failed.says());
            tracing::warn!(plan, person, why, "a sign-in came to nothing");
            return page(status, &why);
        }
    };
    let person = whose(&settings, &word);
    let now = site.app.clock.now();
    let mut tx = site.app.store.begin(now).await?;
    if person.as_ref() != Some(&step.person) {
        let from = From::new(&step.platform, step.user.clone(), row.channel.clone());
        let record = Statement::new("word.refused")
            .by(&from, Some(&step.person), None)
            .of(&row, Some(&revision.brief))
            .evidence(&new_id(now), step.message.as_deref())
            .with("because", "sign-in.person")
            .with("step", step.id.clone())
            .with("issuer", word.issuer.clone())
            .with("subject", subject(&word))
            .with("signed_in", person.map(|person| person.to_string()));
        tx.record(&site.app, record).await?;
        tx.commit().await?;
        return page(StatusCode::FORBIDDEN, &says::somebody_else(&step.person));
    }
    let proof =
        Proof { subject: subject(&word), issuer: word.issuer, auth_time: word.auth_time, acr: word.acr, amr: word.amr };
    if !tx.sign_in_step(&step.id, &sha256(secret.as_bytes()), &proof).await? {
        return page(StatusCode::CONFLICT, &says::link_used());
    }
    tx.commit().await?;
    let (role, lender, overrides) = second_step::as_now(&site.app, &settings, &step, &row, &revision).await?;
    let what = says::What {
        row: &row,
        revision: &revision,
        overrides: &overrides,
        role: role.as_ref(),
        lender: lender.as_ref(),
    };
    let pairs = says::pairs(&what, &settings, now);
    let shown = html! {
        p { (says::signed_in(&step.person)) }
        dl { @for (name, value) in pairs { div { dt { (name) } dd { (value) } } } }
        form method="post" action="/confirm/approve" {
            input type="hidden" name="step" value=(step.id);
            input type="hidden" name="proof" value=(derive(&secret, "approve", &step.id));
            button type="submit" { "Approve" }
        }
    };
    // Under the policy of all other pages a browser would say of a form that it comes from nowhere (`Origin: null`, by the
    // Fetch standard), and the approval would be refused. This one tells nobody more than our own address.
    let policy = [(header::REFERRER_POLICY, "strict-origin")];
    Ok((policy, document(StatusCode::OK, "Confirm approval", &shown)).into_response())
}

/// The page's form.
#[derive(Debug, Deserialize)]
struct Approve {
    step: String,
    proof: String,
}

/// The POST that confirms: by the browser that signed in, from the page that it was shown.
pub async fn approve(State(site): State<Site>, headers: HeaderMap, body: Bytes) -> Answered {
    let settings = site.app.settings();
    let own = settings.web.url.as_ref().map(|url| url.origin().ascii_serialization());
    let origin = headers.get(header::ORIGIN).and_then(|origin| origin.to_str().ok());
    if origin.is_some_and(|origin| Some(origin) != own.as_deref()) {
        return page(StatusCode::FORBIDDEN, &says::other_browser());
    }
    let fields: Vec<(String, String)> = url::form_urlencoded::parse(&body).into_owned().take(10).collect();
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let asked = field("step").zip(field("proof")).map(|(step, proof)| Approve { step, proof });
    let asked = asked.filter(|asked| !asked.step.contains('\0'));
    let Some((asked, secret)) = asked.zip(secret_of(&headers)) else {
        return page(StatusCode::BAD_REQUEST, &says::other_browser());
    };
    if !same(&derive(&secret, "approve", &asked.step), &asked.proof) {
        return page(StatusCode::FORBIDDEN, &says::other_browser());
    }
    let found = site.app.store.step(&asked.step).await?.zip(site.app.store.signed_in(&asked.step).await?);
    let Some((step, signed_in)) = found.filter(|(_, by)| same(&by.browser, &sha256(secret.as_bytes()))) else {
        return page(StatusCode::FORBIDDEN, &says::other_browser());
    };
    if site.app.clock.now().since(signed_in.at) > PROOF_HOLDS {
        return page(StatusCode::CONFLICT, &says::waited_too_long());
    }
    if let Some(wrong) = second_step::look(&site.app, &step).await? {
        return page(StatusCode::CONFLICT, &wrong);
    }
    let Some(row) = site.app.store.plan(&step.plan).await? else {
        return page(StatusCode::NOT_FOUND, &says::no_such_link());
    };
    let from = From::new(&step.platform, step.user.clone(), row.channel.clone());
    let speaker = people::speaker_now_on(&site.app, &from, &step.person, &row.plan).await?;
    let now = site.app.clock.now();
    let confirmation = Confirmation { how: SecondStep::SignIn, step: Some(&step.id), proof: Some(&signed_in.proof) };
    let mut tx = site.app.store.begin(now).await?;
    let app = &site.app;
    let done =
        second_step::confirm(app, &mut tx, &settings, &step, speaker.as_ref(), &confirmation, &new_id(now)).await?;
    tx.commit().await?;
    site.app.wake();
    let mut answered = match done {
        Ok(()) => document(StatusCode::OK, "Approved", &html! { p { (says::confirmed_here(&row)) } }),
        Err(wrong) => page(StatusCode::CONFLICT, &wrong)?,
    };
    if let Ok(value) = cookie(&settings, "", 0).parse() {
        answered.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(answered)
}

/// Whether a step can be confirmed by a sign-in that is not used yet; otherwise why not.
async fn usable(site: &Site, step: &Step) -> anyhow::Result<Result<(PlanRow, Revision), String>> {
    if step.how != SecondStep::SignIn {
        return Ok(Err(says::no_such_link()));
    }
    let standing = second_step::standing(&site.app, step).await?;
    if standing.is_ok() && site.app.store.signed_in(&step.id).await?.is_some() {
        return Ok(Err(says::link_used()));
    }
    Ok(standing)
}

/// The person whom the provider's word names: exactly one of ours, or nobody.
fn whose(settings: &Settings, word: &Word) -> Option<Person> {
    let (sign_in, names) = (settings.sign_in.as_ref()?, word.names.as_ref()?);
    if sign_in.claim == "email" {
        return people::with_email(settings, names);
    }
    let mut found = settings.people.iter().filter(|(_, person)| person.sign_in.contains(names));
    let (person, _) = found.next()?;
    found.next().is_none().then(|| person.clone())
}

/// The provider's name for somebody, as a hash: enough to compare with, without keeping it.
fn subject(word: &Word) -> String {
    sha256(format!("{}\0{}", word.issuer, word.subject).as_bytes())
}

fn attempt(secret: &str, step: &str) -> Attempt {
    Attempt {
        state: format!("{step}.{}", derive(secret, "state", step)),
        nonce: derive(secret, "nonce", step),
        verifier: derive(secret, "verifier", step),
    }
}

/// One of the values that a browser's secret gives for a step; none tells another.
fn derive(secret: &str, what: &str, step: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length will do");
    mac.update(format!("tidegate confirm {what}\0{step}").as_bytes());
    URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
}

fn fresh() -> anyhow::Result<String> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

fn secret_of(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).map(str::trim);
    let secret = pairs.find_map(|pair| pair.strip_prefix(COOKIE)?.strip_prefix('='))?;
    // What we gave has this very form.
    (URL_SAFE_NO_PAD.decode(secret).ok()?.len() == 32).then(|| secret.to_owned())
}

/// `Lax`: the way back from the provider is another site's link.
fn cookie(settings: &Settings, secret: &str, seconds: i64) -> String {
    let secure = settings.web.url.as_ref().is_some_and(|url| url.scheme() == "https");
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={secret}; HttpOnly; SameSite=Lax; Path=/confirm; Max-Age={seconds}{secure}")
}

/// A page of one sentence.
fn page(status: StatusCode, sentence: &str) -> Answered {
    let title = if status.is_success() { "Tidegate" } else { "Nothing was approved" };
    Ok(document(status, title, &html! { p { (sentence) } }))
}

fn document(status: StatusCode, title: &str, content: &Markup) -> Response {
    let body = html! { h1 { (title) } (content) };
    (status, crate::audit::html::page(title, &body)).into_response()
}
