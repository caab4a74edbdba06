//! Harbor's services as they answer on loopback: a health page for each, and the metrics of all.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::metrics;
use super::town::Town;
use super::traffic::{Mood, is_service};

/// A slow service takes so long.
const SLOW: Duration = Duration::from_millis(900);

/// A server that ends with its owner.
#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Starts it on a free port of loopback. Health is at `/SERVICE/ENVIRONMENT/health`, metrics below `/metrics`.
pub async fn start(town: Arc<Town>) -> anyhow::Result<Server> {
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).await.context("the sample's services could not listen on loopback")?;
    let address = listener.local_addr().context("read the address of the sample's services")?;
    let metrics = Router::new()
        .route("/api/v1/query", get(metrics::query).post(metrics::query))
        .route("/api/v1/query_range", get(metrics::query_range).post(metrics::query_range))
        .route("/api/v1/status/buildinfo", get(metrics::build_info))
        .with_state(town.clone());
    let services = Router::new()
        .route("/{service}/{environment}/health", get(health))
        .with_state(Services { town, asked: Arc::new(AtomicU64::new(0)) });
    let router = Router::new().nest("/metrics", metrics).merge(services);
    let task = tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(error = %error, "the sample's services stopped");
        }
    });
    Ok(Server { address, task })
}

#[derive(Clone, Debug)]
struct Services {
    town: Arc<Town>,
    asked: Arc<AtomicU64>,
}

async fn health(State(services): State<Services>, Path((service, environment)): Path<(String, String)>) -> Response {
    if !is_service(&service) || !matches!(environment.as_str(), "staging" | "production") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let town = &services.town;
    let now = town.now();
    // A page that is asked once a quarter of a minute would rarely meet one failure in 25: one answer in three fails.
    let third = services.asked.fetch_add(1, Ordering::Relaxed) % 3 == 0;
    let failing = match town.mood(&service, &environment, now) {
        Mood::Down => true,
        Mood::Errors => third,
        Mood::Slow => {
            tokio::time::sleep(SLOW).await;
            false
        }
        Mood::Well | Mood::Silent => third && town.upstream_down(&service, &environment, now),
    };
    if failing {
        return (StatusCode::SERVICE_UNAVAILABLE, format!("{service} is unwell\n")).into_response();
    }
    (StatusCode::OK, format!("{service} is well\n")).into_response()
}
