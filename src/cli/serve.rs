//! `try` and `serve`: the running program.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use secrecy::{ExposeSecret, SecretString};

use super::{Place, print, sample};
use crate::app::App;
use crate::chat;
use crate::clock::{Clock, Time};
use crate::command::time::{Lean, parse_time};
use crate::config::Settings;
use crate::event::Due;
use crate::ledger::{Origin, Signer, Statement, refuse_lost, write_private};
use crate::source;
use crate::store::Store;
use crate::web::{self, Attempts, LocalToken, Provider, Site};

/// The file that a running server leaves beside its store, for its own user's command line.
pub const SERVER_FILE: &str = "server.json";

/// `tidegate try`.
pub async fn trying(
    place: Place,
    at: Option<String>,
    listen: Option<SocketAddr>,
    store: Option<String>,
    chats: bool,
) -> anyhow::Result<u8> {
    start_log();
    let data = match &place.data {
        Some(data) => data.clone(),
        None => crate::config::scratch_folder(),
    };
    make_private(&data)?;
    let clock = match &at {
        None => Clock::system(),
        Some(text) => {
            let begin = parse_time(text, Clock::system().now(), chrono_tz::Tz::UTC, Lean::Future);
            Clock::beginning_at(begin.map_err(|says| anyhow::anyhow!("--at: {says}"))?)
        }
    };
    let (mut settings, world) = match &place.config {
        Some(file) => (Settings::load(file)?, None),
        None => {
            let (settings, world) = sample::build(&data, &clock).await.context("could not make the sample company")?;
            (settings, Some(world))
        }
    };
    settings.store.url = store.or(settings.store.url);
    let listen = listen.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 8420)));
    if !listen.ip().is_loopback() {
        bail!(
            "in `try` anyone may speak as anyone, so it listens on this machine alone: give --listen a loopback address"
        );
    }
    let kept = place.data.is_some();
    let file = place.config.clone();
    let done = run(Start { settings, world, clock, data: data.clone(), listen, trying: true, chats, file }).await;
    if !kept {
        // A folder of our own, made for this run; what cannot be removed is left for the system's cleaning.
        let _ = std::fs::remove_dir_all(&data);
    }
    done
}

/// `tidegate serve`.
pub async fn serving(place: Place, listen: Option<SocketAddr>) -> anyhow::Result<u8> {
    start_log();
    let file = place.config.clone().unwrap_or_else(|| PathBuf::from("tidegate.toml"));
    let settings = Settings::load(&file)?;
    let data = place.data.unwrap_or_else(|| PathBuf::from("tidegate-data"));
    make_private(&data)?;
    let listen = listen.unwrap_or(settings.web.listen);
    run(Start {
        settings,
        world: None,
        clock: Clock::system(),
        data,
        listen,
        trying: false,
        chats: true,
        file: Some(file),
    })
    .await
}

/// What a start needs.
#[derive(Debug)]
struct Start {
    settings: Settings,
    world: Option<sample::World>,
    clock: Clock,
    data: PathBuf,
    listen: SocketAddr,
    trying: bool,
    /// Whether the platforms that the settings name are connected.
    chats: bool,
    /// Where the settings were read from, to read them anew.
    file: Option<PathBuf>,
}

async fn run(start: Start) -> anyhow::Result<u8> {
    let Start { settings, world, clock, data, listen, trying, chats, file } = start;
    let console = trying || settings.chat.console.enabled;
    let mut app = build(settings, clock, data.clone()).await?;
    app.world = world.map(std::sync::Arc::new);
    if chats {
        let built = chat::build(&app.settings(), &app.store, &app.clock)?;
        app = app.with_chats(built);
    }
    let listener = web::listen(listen).await?;
    let address = listener.local_addr()?;
    let local = LocalToken(SecretString::from(random_token()?));
    let server_file = data.join(SERVER_FILE);
    let about = serde_json::json!({ "url": format!("http://{address}"), "token": local.0.expose_secret() });
    write_private(&server_file, &about.to_string())?;
    record_start(&app).await?;
    let mut tx = app.store.begin(app.clock.now()).await?;
    tx.due(&Due::Anchor, app.clock.now()).await?;
    tx.due(&Due::Sweep, app.clock.now()).await?;
    tx.due(&Due::Find, app.clock.now().plus(app.settings().watch.find_every.ms())).await?;
    tx.commit().await?;
    crate::people::link::reconcile(&app).await?;
    crate::audit::rules::put_in_force(&app, &app.settings(), "start").await?;
    let mut workers = crate::work::start(&app);
    let mut listening = chat::listen(&app);
    listening.spawn(crate::people::team::keep(app.clone()));
    on_signals(&app, file);
    print(&format!("Tidegate listens on http://{address}"));
    if trying {
        eprintln!(
            "Open http://{address}/console and type: {}",
            app.world
                .as_ref()
                .and_then(|w| w.tries().first().cloned())
                .unwrap_or_else(|| format!("{} help", app.settings().chat.command))
        );
    }
    let site =
        Site { app: app.clone(), local, trying, console, attempts: Attempts::default(), provider: Provider::default() };
    let served = web::serve(listener, site).await;
    app.stop();
    // What a worker holds is finished; what takes longer is given back by its lease.
    let patience = tokio::time::sleep(std::time::Duration::from_secs(10));
    tokio::select! {
        () = async {
            while listening.join_next().await.is_some() {}
            while workers.join_next().await.is_some() {}
        } => {}
        () = patience => tracing::warn!("some work was still under way; its lease hands it over"),
    }
    let _ = std::fs::remove_file(&server_file);
    app.store.close().await;
    served.map(|()| 0)
}

/// The program around a store: what `serve`, `try` and the commands without a server share.
pub async fn build(settings: Settings, clock: Clock, data: PathBuf) -> anyhow::Result<App> {
    let (store, signer) = open(&settings, &clock, &data).await?;
    let head = store.ledger_head().await?.context("the store holds no ledger")?;
    refuse_lost(&settings, &data, &store, &head, &signer).await?;
    let sources = source::build(&settings, &clock)?;
    Ok(App::new(store, clock, settings, sources, signer, data))
}

/// The store with its ledger, and what signs that.
pub async fn open(settings: &Settings, clock: &Clock, data: &Path) -> anyhow::Result<(Store, Signer)> {
    let url = match (&settings.store.url_from, &settings.store.url) {
        (Some(secret), _) => secret
            .reveal(&settings.base)
            .map_err(|why| anyhow::anyhow!("[store] url-from: {why}"))?
            .expose_secret()
            .to_owned(),
        (None, Some(url)) => url.clone(),
        (None, None) => "sqlite://tidegate.db".to_owned(),
    };
    let store = Store::open(&url, data).await?;
    let now = clock.now();
    if store.is_alone() {
        store.release_all().await?;
    }
    if store.ledger_head().await?.is_none() {
        let id = crate::name::new_id(now).to_lowercase();
        let origin = Origin::new(&format!("{}/{id}", settings.ledger.origin), 1).context("[ledger] origin")?;
        store.found_ledger(&origin, now).await?;
    }
    let head = store.ledger_head().await?.context("the store holds no ledger")?;
    let named = store.ledger_key().await?;
    let signer = Signer::open(data, &head.origin, head.size(), named.as_ref())?;
    if named.is_none() && head.size() > 0 && store.ledger_seal().await?.is_none() {
        let mut tx = store.begin(now).await?;
        tx.seal(&signer).await?;
        tx.commit().await?;
    }
    Ok((store, signer))
}

/// Puts on record that Tidegate runs from here on: which version, whose key signs, which clock it goes by.
async fn record_start(app: &App) -> anyhow::Result<()> {
    let statement = Statement::new("instance.started")
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("key", app.signer.public().to_string())
        .with("clock", crate::ledger::time::at_start(app).await?);
    let mut tx = app.store.begin(app.clock.now()).await?;
    tx.record(app, statement).await?;
    tx.commit().await
}

fn make_private(data: &std::path::Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if data.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(data)
        .with_context(|| format!("could not make the folder {}", data.display()))
}

fn random_token() -> anyhow::Result<String> {
    let mut random = [0u8; 24];
    getrandom::fill(&mut random).map_err(|_| anyhow::anyhow!("the operating system gives no random bytes"))?;
    Ok(crate::ledger::hex(&random))
}

/// Ctrl-C and SIGTERM stop; SIGHUP reads the settings anew.
fn on_signals(app: &App, file: Option<PathBuf>) {
    use tokio::signal::unix::{SignalKind, signal};
    let stopping = app.clone();
    // Listened for before anyone can know that the program runs: whoever asks it to stop at once is heard too.
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let came = async |signal: std::io::Result<tokio::signal::unix::Signal>| match signal {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    };
    tokio::spawn(async move {
        tokio::select! {
            () = came(terminate) => {}
            () = came(interrupt) => {}
        }
        eprintln!("Finishing what is under way.");
        stopping.stop();
    });
    let (Some(file), Ok(mut hangup)) = (file, signal(SignalKind::hangup())) else { return };
    let app = app.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            match reload(&app, &file).await {
                Ok(()) => eprintln!("Read {} anew.", file.display()),
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "the settings were not read anew; the old ones stay")
                }
            }
        }
    });
}

/// Replaces settings and sources whole, or not at all. Changed rules are put on record.
async fn reload(app: &App, file: &std::path::Path) -> anyhow::Result<()> {
    let settings = Settings::load(file)?;
    let sources = source::build(&settings, &app.clock)?;
    crate::audit::rules::put_in_force(app, &settings, "reload").await?;
    app.reload(settings, sources);
    // What no setting gives any more is given no longer.
    crate::people::team::tell(app);
    crate::people::link::reconcile(app).await
}

fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn,tidegate=info"));
    // Err only says that a log was started before.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// A moment as typed on the command line.
pub fn moment(text: &str, now: Time, zone: chrono_tz::Tz) -> anyhow::Result<Time> {
    if let Ok(day) = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        let at = format!("{day} 00:00");
        return parse_time(&at, now, zone, Lean::Future).map_err(|says| anyhow::anyhow!(says));
    }
    parse_time(text, now, zone, Lean::Past).map_err(|says| anyhow::anyhow!(says))
}
