//! What auditors ask over HTTP: exports and reports as streams; and the pages, which need no script.

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc::Receiver;

use super::Site;
use super::access::{May, allow, same_site};
use super::answers::{Answered, Wrong, json as answer};
use super::sign_in::signed_in;
use crate::audit::export::{Form, Format, report_stream, stream};
use crate::audit::{Case, Period, Wanted, html as pages, of_plan};
use crate::clock::{DAY, Time};
use crate::config::PersonKind;
use crate::name::{Person, PlanId, Service};
use crate::wording;

/// Changes on one page of the list.
const PAGE: i64 = 50;

#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    plan: Option<String>,
    from: Option<String>,
    to: Option<String>,
    format: Option<String>,
    /// A plan, a service or a person.
    q: Option<String>,
    before: Option<i64>,
    all: Option<String>,
}

/// A reader with a token, or somebody who is signed in at the console and no guest.
fn may_read(site: &Site, headers: &HeaderMap) -> Result<(), Wrong> {
    if headers.get(header::AUTHORIZATION).is_none() && !site.trying {
        same_site(site, headers)?;
        let settings = site.app.settings();
        let member = |person: &Person| settings.people.get(person).is_some_and(|p| p.kind == PersonKind::Member);
        return signed_in(site, headers).filter(member).map(drop).ok_or_else(Wrong::unauthorized);
    }
    allow(site, headers, May::Read).map(drop)
}

fn period(site: &Site, asked: &Asked) -> Result<Period, Wrong> {
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let (from, to) = (given(&asked.from), given(&asked.to));
    let zone = site.app.settings().team.zone;
    Period::read(from.as_deref(), to.as_deref(), site.app.clock.now(), zone).map_err(Wrong::bad)
}

pub async fn export(State(site): State<Site>, Query(asked): Query<Asked>, headers: HeaderMap) -> Answered {
    may_read(&site, &headers)?;
    let format = Format::parse(asked.format.as_deref().unwrap_or("jsonl"))
        .ok_or_else(|| Wrong::bad("`format` is one of jsonl, csv, html, pdf."))?;
    let bounded = asked.from.is_some() || asked.to.is_some();
    let period = if bounded { Some(period(&site, &asked)?) } else { None };
    let wanted = Wanted::of(asked.plan.as_deref(), period).map_err(Wrong::bad)?;
    if let Wanted::Plan(plan) = &wanted
        && site.app.store.plan(plan).await?.is_none()
    {
        return Err(Wrong::not_found("There is no such plan."));
    }
    let name = if let Wanted::Plan(plan) = &wanted { plan.to_string() } else { "record".to_owned() };
    let mut answer = streamed(stream(&site.app, wanted, format), format.content_type());
    // A handle is of letters, digits and a few signs; anything else is not put into a header.
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let file = format!("attachment; filename=\"{}.{}\"", if plain { name.as_str() } else { "plan" }, format.ending());
    if let Ok(file) = file.parse() {
        answer.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    }
    Ok(answer)
}

pub async fn report(State(site): State<Site>, Query(asked): Query<Asked>, headers: HeaderMap) -> Answered {
    may_read(&site, &headers)?;
    let form = Form::parse(asked.format.as_deref().unwrap_or("json"))
        .ok_or_else(|| Wrong::bad("`format` is one of json, html, csv, text."))?;
    Ok(streamed(report_stream(&site.app, period(&site, &asked)?, form), form.content_type()))
}

pub async fn obligations(State(site): State<Site>, Query(asked): Query<Asked>, headers: HeaderMap) -> Answered {
    may_read(&site, &headers)?;
    let all = crate::cli::evidence::listed(&site.app, asked.all.is_some()).await?;
    answer(crate::cli::evidence::view(&all, &site.app))
}

pub async fn story(State(site): State<Site>, Query(asked): Query<Asked>, headers: HeaderMap) -> Answered {
    may_read(&site, &headers)?;
    let id = PlanId::new(asked.plan.unwrap_or_default().to_lowercase());
    let app = &site.app;
    let story = crate::audit::story(&app.store, &app.settings(), &id, app.clock.now()).await?;
    let story = story.ok_or_else(|| Wrong::not_found("There is no such plan."))?;
    answer(json!({ "plan": id, "text": story.text(), "message": story }))
}

fn streamed(pieces: Receiver<anyhow::Result<Bytes>>, kind: &'static str) -> Response {
    let pieces = futures::stream::unfold(pieces, async |mut pieces| {
        let piece = pieces.recv().await?.map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "an export broke off");
            std::io::Error::other("the export broke off")
        });
        Some((piece, pieces))
    });
    let policy = pages::POLICY.as_str();
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)], Body::from_stream(pieces))
        .into_response()
}

pub async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], pages::STYLE).into_response()
}

/// Whoever is not signed in is led to where they can be.
fn refused(site: &Site, wrong: Wrong) -> Answered {
    if site.console { Ok(Redirect::to("/console").into_response()) } else { Err(wrong) }
}

/// The changes of a period, with what an auditor would ask about.
pub async fn list(State(site): State<Site>, Query(asked): Query<Asked>, headers: HeaderMap) -> Answered {
    if let Err(wrong) = may_read(&site, &headers) {
        return refused(&site, wrong);
    }
    let (app, now) = (&site.app, site.app.clock.now());
    let settings = app.settings();
    let zone = settings.team.zone;
    let day = |at: Time| at.at(zone).format("%Y-%m-%d").to_string();
    let given = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let shown = Asked {
        from: Some(given(&asked.from).unwrap_or_else(|| day(now.plus(-30 * DAY)))),
        to: Some(given(&asked.to).unwrap_or_else(|| day(now))),
        ..Asked::default()
    };
    let period = period(&site, &shown)?;
    let query = given(&asked.q).map(|q| q.trim().trim_start_matches('@').to_lowercase());
    let plan = match &query {
        Some(q) if app.store.plan(&PlanId::new(q.as_str())).await?.is_some() => Some(q.as_str()),
        _ => None,
    };
    let service = query.as_deref().filter(|q| plan.is_none() && settings.service.contains_key(&Service::new(*q)));
    let person = query.as_deref().filter(|_| plan.is_none() && service.is_none());
    // A handle is looked for at any time.
    let bounds = if plan.is_some() { Period::EVER } else { period };
    let mut found =
        app.store.plans_found((bounds.from, bounds.to), plan, service, person, asked.before, PAGE + 1).await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let older = found.get(page).and_then(|_| found.get(page - 1)).map(|last| last.1);
    found.truncate(page);
    let mut cases: Vec<Case> = Vec::new();
    for (id, _) in found {
        cases.push(of_plan(&app.store, &PlanId::new(id)).await?);
    }
    let report = match query {
        None => Some(crate::audit::report(&app.store, &app.signer, period, now).await?),
        Some(_) => None,
    };
    let (from, to) = (shown.from.unwrap_or_default(), shown.to.unwrap_or_default());
    let q = asked.q.unwrap_or_default();
    let link = |path: &str, more: &[(&str, &str)]| {
        let mut pairs = form_urlencoded(&[("from", &from), ("to", &to)]);
        pairs.extend(form_urlencoded(more));
        format!("{path}?{}", pairs.join("&"))
    };
    let body = html! {
        (nav(&html! {
            a href=(link("/api/ledger/report", &[("format", "html")])) { "Report" }
            a href=(link("/api/ledger/report", &[("format", "csv")])) { "Table" }
            a href=(link("/api/ledger/export", &[("format", "html")])) { "Evidence pack" }
            a href=(link("/api/ledger/export", &[("format", "pdf")])) { "as PDF" }
            a href=(link("/api/ledger/export", &[("format", "jsonl")])) { "Lines" }
        }))
        h1 { "Changes" }
        form method="get" action="/audit" role="search" {
            label { "From" input type="date" name="from" value=(from); }
            label { "To" input type="date" name="to" value=(to); }
            label { "Plan, service or person" input type="search" name="q" value=(q) maxlength="80"; }
            button type="submit" { "Show" }
        }
        @if let Some(report) = &report { (pages::piece(&wording::audit::summary(report, &settings))) }
        (changes(&cases, zone))
        @if let Some(before) = older {
            p { a href=(link("/audit", &[("q", &q), ("before", &before.to_string())])) rel="next" { "Older changes" } }
        }
    };
    Ok(pages::page("Changes", &body).into_response())
}

fn changes(cases: &[Case], zone: chrono_tz::Tz) -> Markup {
    let exact = |at: Time| at.at(zone).format("%-d %b %Y %H:%M").to_string();
    html! {
        @if cases.is_empty() { p { "No plan was made in this period that fits." } } @else {
            div class="scroll" {
                table {
                    thead { tr { th { "Change" } th { "Planned" } th { "What" } th { "By" } th { "Approved by" } th { "Came of it" } th { "To ask about" } } }
                    tbody {
                        @for case in cases {
                            tr {
                                td data-name="Change" { a class="tight" href={ "/audit/plans/" (case.name()) } { (case.name()) } }
                                td data-name="Planned" class="tight" { (exact(case.at())) }
                                td data-name="What" class="wide" { (case.service) " " (crate::message::tame(case.version.as_deref().unwrap_or(""), 60)) " → " (case.environment) }
                                td data-name="By" { (case.planned_by.as_ref().and_then(|act| act.by.clone()).unwrap_or_default()) }
                                td data-name="Approved by" { (case.approvals().map(|word| word.by.as_str()).collect::<Vec<_>>().join(", ")) }
                                td data-name="Came of it" { (wording::audit::came_of(case)) }
                                td data-name="To ask about" {
                                    @for finding in case.findings() { span class="tag" { (wording::audit::tag(finding)) } " " }
                                    @if case.late > 0 { span class="tag" { "overdue" } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// The story of one plan on one screen.
pub async fn plan(State(site): State<Site>, Path(id): Path<String>, headers: HeaderMap) -> Answered {
    if let Err(wrong) = may_read(&site, &headers) {
        return refused(&site, wrong);
    }
    let id = PlanId::new(id.to_lowercase());
    let app = &site.app;
    let story = crate::audit::story(&app.store, &app.settings(), &id, app.clock.now()).await?;
    let story = story.ok_or_else(|| Wrong::not_found("There is no such plan."))?;
    let checkpoint = crate::ledger::checkpoint_now(&app.store, &app.signer).await?.note;
    let export = |format: &str| {
        format!("/api/ledger/export?{}", form_urlencoded(&[("plan", id.as_str()), ("format", format)]).join("&"))
    };
    let body = html! {
        (nav(&html! {
            a href=(export("html")) { "Evidence pack" }
            a href=(export("pdf")) { "as PDF" }
            a href=(export("jsonl")) { "Lines with proofs" }
        }))
        (pages::piece(&story.blocks))
        h3 { "The checkpoint of the record as it is now" }
        pre { (checkpoint) }
    };
    Ok(pages::page(id.as_str(), &body).into_response())
}

fn nav(links: &Markup) -> Markup {
    html! { nav aria-label="Record" { a href="/audit" { "All changes" } (links) } }
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish())
        .collect()
}
