//! OpenID providers: a real one, and one that answers as a story wants; and a browser without a screen.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Story;
use super::node::{Node, Program};

/// Where Tidegate is, as far as the provider and the browser know.
pub const HOME: &str = "https://tidegate.example";
pub const SECRET: &str = "a secret / with signs: that are quoted";
const PROGRAM: Program = Program {
    name: "openid",
    package: "oidc-provider",
    version: "9.13.3",
    script: include_str!("../data/openid/start.mjs"),
    variables: &[],
};

/// The settings that name this provider.
pub fn section(issuer: &str) -> String {
    format!(
        "[sign-in]\nissuer = \"{issuer}\"\nclient-id = \"tidegate\"\nclient-secret = {{ value = \"{SECRET}\" }}\n[web]\nurl = \"{HOME}\"\n"
    )
}

/// A real provider.
#[derive(Debug)]
pub struct Real {
    pub issuer: String,
    _server: Node,
}

impl Real {
    /// Starts one, where it is installed.
    pub fn start() -> Option<Real> {
        let server = PROGRAM.start(|port| vec![port.to_string(), format!("{HOME}/confirm/return")])?;
        Some(Real { issuer: server.address.clone(), _server: server })
    }
}

/// What came back: status, the address that it leads to, and the page.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub leads_to: Option<String>,
    pub text: String,
}

impl Page {
    /// The value of a hidden field.
    pub fn field(&self, name: &str) -> String {
        let after = self.text.split(&format!("name=\"{name}\" value=\"")).nth(1);
        after.unwrap_or_else(|| panic!("no field {name}: {}", self.text)).split('"').next().unwrap().to_owned()
    }
}

/// A browser without a screen: keeps cookies, follows nothing by itself, and says where a form comes from as browsers do.
#[derive(Clone, Debug, Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
    /// The last page with a form allows nobody to be told where one came from: what it sends comes from nowhere.
    silent: bool,
}

impl Browser {
    pub fn opens(&mut self, story: &Story, address: &str) -> Page {
        self.asks(story, address, None)
    }

    pub fn posts(&mut self, story: &Story, address: &str, fields: &[(&str, &str)]) -> Page {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.asks(story, address, Some(form))
    }

    fn asks(&mut self, story: &Story, address: &str, form: Option<String>) -> Page {
        tidegate::http::provide_tls();
        let address = address.replacen(HOME, &story.address, 1);
        let origin = if self.silent { "null" } else { HOME };
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (page, set, policy) = runtime.block_on(async {
            let client = tidegate::http::trusted(Duration::from_secs(30)).unwrap();
            let request = match form {
                None => client.get(&address),
                Some(form) => client
                    .post(&address)
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header("origin", origin)
                    .body(form),
            };
            let answer = request.header("cookie", cookies.join("; ")).send().await.unwrap();
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let base = url::Url::parse(&address).unwrap();
            let leads_to = header("location").map(|to| base.join(&to).unwrap().to_string());
            let set = answer.headers().get_all("set-cookie").iter().map(|v| v.to_str().unwrap().to_owned());
            let set: Vec<String> = set.collect();
            let status = answer.status().as_u16();
            let policy = header("referrer-policy");
            (Page { status, leads_to, text: answer.text().await.unwrap() }, set, policy)
        });
        if page.text.contains("<form") {
            self.silent = policy.as_deref() == Some("no-referrer");
        }
        for cookie in set {
            let pair = cookie.split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
            if value.is_empty() {
                self.cookies.remove(name);
            }
        }
        page
    }

    /// Signs in at the real provider as somebody, from the address where Tidegate led; the address that leads back.
    pub fn signs_in(&mut self, story: &Story, provider: &Real, began: &str, name: &str) -> String {
        let mut page = self.opens(story, began);
        for _ in 0..12 {
            let next = page.leads_to.clone();
            page = match next {
                Some(to) if to.starts_with(HOME) => return to,
                Some(to) => self.opens(story, &to),
                None => {
                    // The provider's own page: who are you, and may it tell.
                    let action = page.text.split("action=\"").nth(1).and_then(|rest| rest.split('"').next());
                    let action = action.unwrap_or_else(|| panic!("no form: {} {}", page.status, page.text));
                    let action = url::Url::parse(&provider.issuer).unwrap().join(action).unwrap();
                    let prompt = if page.text.contains("value=\"login\"") { "login" } else { "consent" };
                    self.posts(story, action.as_str(), &[("prompt", prompt), ("login", name), ("password", "any")])
                }
            };
        }
        panic!("the provider leads nowhere: {page:?}")
    }
}

/// A provider that answers as a story wants.
pub struct Pretend {
    pub issuer: String,
    state: Arc<Mutex<Answers>>,
    _runtime: tokio::runtime::Runtime,
}

/// What it answers.
pub struct Answers {
    key: EcdsaKeyPair,
    key_id: String,
    issuer: String,
    /// Codes that can be redeemed: nonce and challenge of each.
    codes: BTreeMap<String, (String, String)>,
    given: usize,
    /// Seconds since the epoch, as Tidegate's clock has it.
    pub now: i64,
    pub subject: String,
    pub email: String,
    /// Laid over the claims; null takes one away.
    pub claims: Value,
    /// Another header than the right one, and then no signature.
    pub header: Option<Value>,
    /// Signed with a key that is not published.
    pub forged: bool,
    /// What was wrong with requests.
    pub complaints: Vec<String>,
}

fn new_key() -> EcdsaKeyPair {
    let random = SystemRandom::new();
    let key = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, key.as_ref(), &random).unwrap()
}

impl Pretend {
    pub fn start() -> Pretend {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(Answers {
            key: new_key(),
            key_id: "first".to_owned(),
            issuer: issuer.clone(),
            codes: BTreeMap::new(),
            given: 0,
            now: 0,
            subject: "subject-of-lin".to_owned(),
            email: "lin@example.org".to_owned(),
            claims: json!({}),
            header: None,
            forged: false,
            complaints: Vec::new(),
        }));
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(about))
            .route("/keys", get(keys))
            .route("/token", post(token))
            .with_state(state.clone());
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Pretend { issuer, state, _runtime: runtime }
    }

    pub fn answers(&self) -> std::sync::MutexGuard<'_, Answers> {
        self.state.lock().unwrap()
    }

    /// Signs with another key from now on.
    pub fn rotates(&self) {
        let mut state = self.answers();
        (state.key, state.key_id) = (new_key(), format!("{}+", state.key_id));
    }

    /// Somebody signs in where Tidegate led: the address that leads back, with a code.
    pub fn signs_in(&self, began: &str) -> String {
        let began = url::Url::parse(began).unwrap();
        let query: BTreeMap<String, String> = began.query_pairs().into_owned().collect();
        let mut state = self.answers();
        let wanted = [
            ("response_type", "code"),
            ("client_id", "tidegate"),
            ("redirect_uri", &format!("{HOME}/confirm/return")),
            ("code_challenge_method", "S256"),
            ("prompt", "login"),
            ("max_age", "0"),
        ];
        for (name, value) in wanted {
            if query.get(name).map(String::as_str) != Some(value) {
                state.complaints.push(format!("{name} is {:?}", query.get(name)));
            }
        }
        if !query["scope"].split(' ').any(|scope| scope == "openid") {
            state.complaints.push("the scope is not openid".to_owned());
        }
        state.given += 1;
        let code = format!("code-{}", state.given);
        state.codes.insert(code.clone(), (query["nonce"].clone(), query["code_challenge"].clone()));
        let mut back = url::Url::parse(&query["redirect_uri"]).unwrap();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", &query["state"]);
        back.query_pairs_mut().append_pair("iss", &state.issuer);
        back.to_string()
    }
}

async fn about(State(state): State<Arc<Mutex<Answers>>>) -> impl IntoResponse {
    let issuer = state.lock().unwrap().issuer.clone();
    axum::Json(json!({
        "issuer": issuer, "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"), "jwks_uri": format!("{issuer}/keys"),
        "code_challenge_methods_supported": ["S256"], "authorization_response_iss_parameter_supported": true,
    }))
}

async fn keys(State(state): State<Arc<Mutex<Answers>>>) -> impl IntoResponse {
    let state = state.lock().unwrap();
    let point = state.key.public_key().as_ref();
    let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    axum::Json(json!({ "keys": [{ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": state.key_id,
        "x": number(&point[1..33]), "y": number(&point[33..65]) }] }))
}

async fn token(State(state): State<Arc<Mutex<Answers>>>, headers: HeaderMap, body: String) -> impl IntoResponse {
    let mut state = state.lock().unwrap();
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let quoted = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let basic = format!("Basic {}", STANDARD.encode(format!("tidegate:{}", quoted(SECRET))));
    let refused = |error: &str| (axum::http::StatusCode::BAD_REQUEST, axum::Json(json!({ "error": error })));
    if headers.get("authorization").and_then(|v| v.to_str().ok()) != Some(&basic) {
        state.complaints.push("the client did not say who it is".to_owned());
        return refused("invalid_client");
    }
    // A code is good once.
    let Some((nonce, challenge)) = state.codes.remove(&form["code"]) else { return refused("invalid_grant") };
    let proves = URL_SAFE_NO_PAD.encode(Sha256::digest(form["code_verifier"].as_bytes())) == challenge;
    let right = form["grant_type"] == "authorization_code" && form["redirect_uri"] == format!("{HOME}/confirm/return");
    if !proves || !right {
        return refused("invalid_grant");
    }
    let mut claims = json!({
        "iss": state.issuer, "sub": state.subject, "aud": "tidegate", "nonce": nonce, "iat": state.now,
        "exp": state.now + 300, "auth_time": state.now, "email": state.email, "email_verified": true,
        "acr": "urn:story:2", "amr": ["pwd", "otp"],
    });
    for (name, value) in state.claims.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    let usual = json!({ "alg": "ES256", "kid": state.key_id });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(state.header.as_ref().unwrap_or(&usual)), part(&claims));
    let stranger = state.forged.then(new_key);
    let signed = stranger.as_ref().unwrap_or(&state.key).sign(&SystemRandom::new(), message.as_bytes()).unwrap();
    let signed = if state.header.is_some() { String::new() } else { URL_SAFE_NO_PAD.encode(signed) };
    let token = json!({ "access_token": "unread", "token_type": "Bearer", "id_token": format!("{message}.{signed}") });
    (axum::http::StatusCode::OK, axum::Json(token))
}
