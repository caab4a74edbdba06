//! How a command reaches an instance: a running server by HTTP, or else the store itself.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Place;
use super::serve::{SERVER_FILE, build};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;

/// A running server.
#[derive(Debug)]
pub struct Server {
    url: url::Url,
    token: Option<SecretString>,
    client: reqwest::Client,
}

/// The instance that a command speaks to.
#[derive(Debug)]
pub enum Instance {
    Running(Server),
    Own(Box<App>),
}

impl Place {
    pub fn settings(&self) -> anyhow::Result<Settings> {
        match &self.config {
            Some(file) => Settings::load(file),
            None if Path::new("tidegate.toml").exists() => Settings::load(Path::new("tidegate.toml")),
            None => Settings::read("", "the defaults", PathBuf::new()),
        }
    }

    pub fn data(&self) -> PathBuf {
        self.data.clone().unwrap_or_else(|| PathBuf::from("tidegate-data"))
    }

    /// The running server, by `TIDEGATE_URL` or by the file that it left beside the store.
    pub fn server(&self) -> anyhow::Result<Option<Server>> {
        let timeout = Duration::from_secs(150);
        if let Some(url) = crate::config::environment_variable("TIDEGATE_URL") {
            let token = crate::config::environment_variable("TIDEGATE_TOKEN").map(SecretString::from);
            let url = url.parse().context("TIDEGATE_URL is not an address")?;
            return Ok(Some(Server { url, token, client: crate::http::trusted(timeout)? }));
        }
        let file = self.data().join(SERVER_FILE);
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(None) };
        let about: Value = serde_json::from_str(&text).with_context(|| format!("{} does not read", file.display()))?;
        let url = about
            .get("url")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .parse()
            .context("the server's file names no address")?;
        let token = about.get("token").and_then(Value::as_str).map(|t| SecretString::from(t.to_owned()));
        Ok(Some(Server { url, token, client: crate::http::trusted(timeout)? }))
    }

    /// The running server where there is one that answers; otherwise the store.
    pub async fn instance(&self) -> anyhow::Result<Instance> {
        if let Some(server) = self.server()? {
            let asked = crate::config::environment_variable("TIDEGATE_URL").is_some();
            if asked || server.is_alive().await {
                return Ok(Instance::Running(server));
            }
        }
        Ok(Instance::Own(Box::new(build(self.settings()?, Clock::system(), self.data()).await?)))
    }
}

impl Server {
    async fn is_alive(&self) -> bool {
        let Ok(url) = self.url.join("/healthz") else { return false };
        matches!(tokio::time::timeout(Duration::from_secs(2), self.client.get(url).send()).await, Ok(Ok(answer)) if answer.status().is_success())
    }

    /// Asks and returns the JSON; an error is the server's own sentence.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<Value> {
        let request = self.client.get(self.url.join(path)?).query(query);
        self.send(request).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        let request = self.client.post(self.url.join(path)?).json(body);
        self.send(request).await
    }

    /// Posts in the name of the person whose token it is: the answer, or the sentence with which it was refused.
    pub async fn post_as(
        &self,
        path: &str,
        body: &Value,
        token: SecretString,
    ) -> anyhow::Result<Result<Value, String>> {
        let request = self.client.post(self.url.join(path)?).json(body).bearer_auth(token.expose_secret());
        let answer = request.send().await.map_err(|e| self.silent(&e))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|e| self.silent(&e))?;
        let says = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
        match status.as_u16() {
            200..=299 => Ok(Ok(body)),
            401 | 403 | 422 => Ok(Err(says.to_owned())),
            _ => bail!("{says}"),
        }
    }

    /// Asks for what is no JSON, small enough to be held.
    pub async fn text(&self, path: &str, query: &[(&str, String)]) -> anyhow::Result<String> {
        let mut bytes = Vec::new();
        let take = |piece: &[u8]| {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        self.pieces(path, query, take).await?;
        Ok(String::from_utf8(bytes)?)
    }

    /// Asks, and hands on what comes piece by piece; an error is the server's own sentence.
    pub async fn pieces(
        &self,
        path: &str,
        query: &[(&str, String)],
        mut take: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let request = self.with_token(self.client.get(self.url.join(path)?).query(query));
        let mut answer = request.send().await.map_err(|e| self.silent(&e))?;
        if !answer.status().is_success() {
            let body: Value = answer.json().await.map_err(|e| self.silent(&e))?;
            bail!("{}", body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given"));
        }
        while let Some(piece) = answer.chunk().await.map_err(|e| self.silent(&e))? {
            take(&piece)?;
        }
        Ok(())
    }

    fn with_token(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret()),
            None => request,
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> anyhow::Result<Value> {
        let answer = self.with_token(request).send().await.map_err(|e| self.silent(&e))?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|e| self.silent(&e))?;
        if status.is_success() {
            return Ok(body);
        }
        let says = body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
        bail!("{says}")
    }

    fn silent(&self, error: &reqwest::Error) -> anyhow::Error {
        let why = if error.is_timeout() {
            "did not answer in time"
        } else if error.is_connect() {
            "could not be reached"
        } else {
            "gave an answer that does not read"
        };
        anyhow::anyhow!("Tidegate at {} {why}", self.url.host_str().unwrap_or_default())
    }
}
