//! The HTTP listener: router, who may ask, pages, API.

mod access;
mod answers;
mod approve;
mod audit;
mod confirm;
mod console;
mod gate;
mod hooks;
mod ledger;
mod openid;
mod operations;
mod people;
mod pictures;
mod read;
mod sign_in;
mod slack;

use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, header};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::app::App;

pub use access::LocalToken;
pub use openid::Provider;
pub use sign_in::{Attempts, whose};

/// The largest body that is read at all.
const LARGEST_BODY: usize = 256 * 1024;

/// The largest delivery of a webhook that is read at all.
const LARGEST_DELIVERY: usize = 1024 * 1024;

/// What the handlers share.
#[derive(Clone, Debug)]
pub struct Site {
    pub app: App,
    /// The token of this process's own user, for the command line beside it.
    pub local: LocalToken,
    /// Whether anyone on loopback may speak as any of the people: `try`.
    pub trying: bool,
    /// Whether there is a console at all.
    pub console: bool,
    /// Wrong tokens at the console's sign-in.
    pub attempts: Attempts,
    /// Where people sign in to confirm an approval.
    pub provider: Provider,
}

/// Every path; `web/routes.txt` lists them, and a test compares.
pub fn router(site: Site) -> Router {
    let mut router = Router::new()
        .route("/healthz", get(operations::healthz))
        .route("/readyz", get(operations::readyz))
        .route("/metrics", get(operations::metrics))
        .route("/openapi.json", get(operations::openapi))
        .route("/api/gate", get(gate::ask))
        .route("/api/approve", post(approve::approve))
        .route("/api/people", get(people::people))
        .route("/api/plans", get(read::plans))
        .route("/api/plans/{id}", get(read::plan))
        .route("/api/preview", post(read::preview))
        .route("/api/services/{service}/windows", get(read::windows))
        .route("/api/history", get(read::history))
        .route("/api/ledger", get(read::ledger))
        .route("/api/ledger/verify", get(read::verify))
        .route("/api/ledger/export", get(audit::export))
        .route("/api/ledger/report", get(audit::report))
        .route("/api/ledger/obligations", get(audit::obligations))
        .route("/api/ledger/story", get(audit::story))
        .route("/audit", get(audit::list))
        .route("/audit/audit.css", get(audit::style))
        .route("/audit/plans/{id}", get(audit::plan))
        .route("/plans/{id}", get(audit::plan))
        .route("/api/ledger/proof", get(ledger::proof))
        .route("/api/ledger/act", post(ledger::act))
        .route("/confirm/{link}", get(confirm::begin))
        .route("/confirm/return", get(confirm::returned))
        .route("/confirm/approve", post(confirm::approve))
        .route("/slack/events", post(slack::events))
        .route("/slack/commands", post(slack::commands))
        .route("/slack/interactions", post(slack::interactions))
        .route("/pictures/{file}", get(pictures::picture))
        .route("/", get(console::home));
    if site.console {
        router = router.merge(console::router());
    }
    // A push of many commits is long, and what it says matters.
    let hooks = Router::new()
        .route("/hooks/deployments", post(hooks::deployments))
        .route("/hooks/{sender}", post(hooks::sender))
        .route("/hooks/{sender}/{source}", post(hooks::sender_of))
        .layer(RequestBodyLimitLayer::new(LARGEST_DELIVERY));
    router
        .layer(RequestBodyLimitLayer::new(LARGEST_BODY))
        .merge(hooks)
        .layer(DefaultBodyLimit::disable())
        .layer(CatchPanicLayer::custom(answers::panicked))
        .layer(axum::middleware::map_response(answers::in_our_form))
        .layer(axum::middleware::from_fn(answers::without_nul))
        .layer(header_of(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(header_of(header::X_FRAME_OPTIONS, "DENY"))
        .layer(header_of(header::REFERRER_POLICY, "no-referrer"))
        .layer(header_of(header::CACHE_CONTROL, "no-store"))
        .layer(header_of(
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ))
        .with_state(site)
}

fn header_of(name: header::HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

/// Opens the listener; a port in use is one clear sentence.
pub async fn listen(address: std::net::SocketAddr) -> anyhow::Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind(address).await.with_context(|| match address.port() {
        0 => format!("could not listen on {address}"),
        port => format!(
            "could not listen on {address}: choose another port with --listen {}:{}, or stop what uses {port}",
            address.ip(),
            port.saturating_add(1)
        ),
    })
}

/// Serves until the program is told to stop; requests under way are finished.
pub async fn serve(listener: tokio::net::TcpListener, site: Site) -> anyhow::Result<()> {
    let app = site.app.clone();
    let stopping = app.clone();
    let serving = axum::serve(listener, router(site)).with_graceful_shutdown(async move { stopping.stopped().await });
    tokio::select! {
        served = serving => served.context("the listener failed"),
        () = async {
            app.stopped().await;
            // A long poll may hold on for half a minute; nobody waits for that.
            tokio::time::sleep(Duration::from_secs(3)).await;
        } => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn every_route_is_described() {
        let routes: BTreeSet<String> = [include_str!("mod.rs"), include_str!("console.rs")]
            .iter()
            .flat_map(|text| text.split(".route(\"").skip(1))
            .filter_map(|rest| rest.split('"').next())
            .map(|path| path.replace("{*", "{"))
            .filter(|path| path.starts_with('/'))
            .collect();
        let described: serde_json::Value = serde_json::from_str(include_str!("openapi.json")).unwrap();
        let paths: BTreeSet<String> = described["paths"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(routes, paths);
    }
}
