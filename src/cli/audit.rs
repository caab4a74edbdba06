//! `tidegate audit`: verify, show and export the record; verify works offline on a database, an export or a proof.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use super::ask::Instance;
use super::evidence::{self, ExportArgs, ObligationsArgs, ReportArgs, ShowArgs};
use super::{Place, print};
use crate::clock::Clock;
use crate::ledger::{Act, PublicKey, SignedCheckpoint, Spoken, Trust, Verdict, checkpoints_in, export, verify_with};
use crate::name::{Person, PlanId};
use crate::store::Store;

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Exit 0 sound, 1 damaged, 2 cannot tell
    Verify {
        #[command(flatten)]
        place: Place,
        /// A database file, an export or a proof; without it the instance's own store
        what: Option<PathBuf>,
        /// Checkpoints from elsewhere: a card's, a pipeline's log, the anchor file
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// The public key from elsewhere: its text, or a file that holds it
        #[arg(long, value_name = "PUBLIC")]
        key: Option<String>,
    },
    /// The proof of a plan's entries, or that the record continues an older checkpoint; `verify` judges it anywhere
    Prove {
        #[command(flatten)]
        place: Place,
        /// A plan's handle
        #[arg(required_unless_present_any = ["entry", "from"])]
        plan: Option<String>,
        /// One entry, by its number
        #[arg(long, value_name = "SEQ", conflicts_with = "plan")]
        entry: Option<i64>,
        /// A file with the older checkpoint
        #[arg(long, value_name = "CHECKPOINT", conflicts_with_all = ["plan", "entry"])]
        from: Option<PathBuf>,
        /// json, or tlog: a C2SP tlog-proof of the entry (of a plan's newest)
        #[arg(long, default_value = "json", value_parser = ["json", "tlog"])]
        format: String,
    },
    /// Erases free texts: the hash stays in the chain, and the erasing is recorded
    Erase {
        #[command(flatten)]
        place: Place,
        /// The entry, by its number
        #[arg(required_unless_present = "person")]
        entry: Option<i64>,
        /// Whatever this person wrote
        #[arg(long, conflicts_with = "entry")]
        person: Option<String>,
        /// Only the text of this name: why, reason, rollback
        #[arg(long)]
        name: Vec<String>,
        /// Who you are: a person of the settings
        #[arg(long, value_name = "PERSON")]
        by: String,
        /// The reason, for the record
        #[arg(long)]
        why: String,
    },
    /// Orders that texts be kept, whatever the settings say: all, plan:P, service:S, person:P
    Hold {
        #[command(subcommand)]
        command: HoldCommand,
    },
    /// Hands over to a new signing key: an entry signed by both; old checkpoints stay good
    Rotate {
        #[command(flatten)]
        place: Place,
        /// Who you are: a person of the settings
        #[arg(long, value_name = "PERSON")]
        by: String,
        /// The reason, for the record
        #[arg(long)]
        why: String,
    },
    /// Goes on with a copy of the database that was put back: a new epoch, and on record what is lost
    Restore {
        #[command(flatten)]
        place: Place,
        /// Checkpoints from elsewhere, which may speak of more than those on this machine
        #[arg(long, value_name = "FILE")]
        checkpoint: Vec<PathBuf>,
        /// Who you are: a person of the settings
        #[arg(long, value_name = "PERSON")]
        by: String,
        /// The reason, for the record
        #[arg(long)]
        why: String,
    },
    /// The story of a plan in words; without one, every entry
    Show(ShowArgs),
    /// Lines that anyone can verify, a table, or an evidence pack
    Export(ExportArgs),
    /// Whether a period is complete: deployments and approved plans, both ways
    Report(ReportArgs),
    /// What is owed after overrides, incidents and deployments without a plan
    Obligations(ObligationsArgs),
}

#[derive(Debug, Subcommand)]
pub enum HoldCommand {
    /// Nothing in the scope may be erased from here on
    Add(HoldArgs),
    /// What it covered may be erased again
    Lift(HoldArgs),
    /// The orders in force
    List {
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, clap::Args)]
pub struct HoldArgs {
    #[command(flatten)]
    place: Place,
    /// all, plan:checkout-87, service:checkout, person:ada
    scope: String,
    /// Who you are: a person of the settings
    #[arg(long, value_name = "PERSON")]
    by: String,
    /// The reason, for the record
    #[arg(long)]
    why: String,
}

pub async fn run(command: AuditCommand) -> anyhow::Result<u8> {
    match command {
        AuditCommand::Verify { place, what, checkpoint, key } => {
            let verdict = verify(&place, what.as_deref(), &checkpoint, key.as_deref())
                .await
                .unwrap_or_else(|why| Verdict::cannot_tell(format!("{why:#}.")));
            print(&serde_json::to_string(&verdict)?);
            super::tell(&verdict.says);
            Ok(verdict.exit_code())
        }
        AuditCommand::Rotate { place, by, why } => acts(&place, &Act::Rotate { by: Person::new(by), why }).await,
        AuditCommand::Restore { place, checkpoint, by, why } => {
            restore(&place, &checkpoint, &Person::new(by), &why).await
        }
        AuditCommand::Erase { place, entry, person, name, by, why } => {
            let (by, person) = (Person::new(by), person.map(Person::new));
            acts(&place, &Act::Erase { by, why, entry, person, names: name }).await
        }
        AuditCommand::Hold { command: HoldCommand::Add(HoldArgs { place, scope, by, why }) } => {
            acts(&place, &Act::HoldAdd { by: Person::new(by), why, scope }).await
        }
        AuditCommand::Hold { command: HoldCommand::Lift(HoldArgs { place, scope, by, why }) } => {
            acts(&place, &Act::HoldLift { by: Person::new(by), why, scope }).await
        }
        AuditCommand::Hold { command: HoldCommand::List { place } } => held(&place).await,
        AuditCommand::Prove { place, plan, entry, from, format } => {
            let from = from.map(|file| {
                std::fs::read_to_string(&file).with_context(|| format!("could not read {}", file.display()))
            });
            let proof = prove(&place, plan, entry, from.transpose()?, &format).await?;
            print(proof.trim_end_matches('\n'));
            Ok(0)
        }
        AuditCommand::Show(args) => evidence::show(args).await,
        AuditCommand::Export(args) => evidence::export(args).await,
        AuditCommand::Report(args) => evidence::report(args).await,
        AuditCommand::Obligations(args) => evidence::obligations(args).await,
    }
}

/// The checkpoints that files hold.
fn read(files: &[PathBuf]) -> anyhow::Result<Vec<SignedCheckpoint>> {
    let mut read = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let notes = checkpoints_in(&text);
        anyhow::ensure!(!notes.is_empty(), "{} holds no checkpoint", file.display());
        for note in notes {
            read.push(SignedCheckpoint::parse(&note).with_context(|| format!("{} does not read", file.display()))?);
        }
    }
    Ok(read)
}

/// While nothing runs on it: a copy that was put back is what a program must not find under its feet.
async fn restore(place: &Place, checkpoints: &[PathBuf], by: &Person, why: &str) -> anyhow::Result<u8> {
    let (settings, clock, data) = (place.settings()?, Clock::system(), place.data());
    let notes = read(checkpoints)?;
    let (store, signer) = super::serve::open(&settings, &clock, &data).await?;
    let done = crate::ledger::restore(&store, &signer, &settings, &data, &notes, (by, why), clock.now()).await;
    store.close().await;
    let done = done?;
    print(&done.to_string());
    super::tell(done.get("says").and_then(serde_json::Value::as_str).unwrap_or_default());
    Ok(0)
}

async fn verify(
    place: &Place,
    what: Option<&Path>,
    checkpoints: &[PathBuf],
    key: Option<&str>,
) -> anyhow::Result<Verdict> {
    let mut trust = Trust { anchors: read(checkpoints)?, ..Trust::default() };
    if let Some(key) = key {
        let text = if Path::new(key).is_file() { std::fs::read_to_string(key)? } else { key.to_owned() };
        trust.keys.push(PublicKey::parse(text.trim())?);
    }
    let notes: Vec<String> = trust.anchors.iter().map(|a| a.note.clone()).collect();
    match what {
        Some(file) => verify_file(file, trust, &notes, place.data.as_deref()).await,
        None => {
            if let Some(server) = place.server()?
                && checkpoints.is_empty()
                && key.is_none()
            {
                // A running server holds the SQLite file; it verifies its own store.
                if let Ok(value) = server.get("/api/ledger/verify", &[]).await {
                    print(&value.to_string());
                    let ok = value.get("ok").and_then(serde_json::Value::as_bool) == Some(true);
                    super::tell(value.get("says").and_then(serde_json::Value::as_str).unwrap_or_default());
                    let damaged = value.get("first_bad").is_some_and(|b| !b.is_null());
                    std::process::exit(if ok {
                        0
                    } else if damaged {
                        1
                    } else {
                        2
                    });
                }
            }
            let settings = place.settings()?;
            let data = place.data();
            let url = settings.store.url.clone().unwrap_or_default();
            let store = Store::open_for_reading(&url, &data).await?;
            let keys = keys_of(trust.keys, &data);
            let mut notes = notes;
            // What lies beside the store is compared without being asked for.
            notes.extend(crate::ledger::witness::kept(&settings, &data).into_iter().map(|kept| kept.note));
            verify_with(&store, keys, &notes).await
        }
    }
}

/// The keys given, or else the one beside the store.
fn keys_of(given: Vec<PublicKey>, data: &Path) -> Vec<PublicKey> {
    if !given.is_empty() {
        return given;
    }
    crate::ledger::KeyFile::read(data).map(|keys| keys.public(1)).unwrap_or_default()
}

/// `data`: the folder of the instance that it is from, where that was said; its key is the one to believe.
async fn verify_file(file: &Path, mut trust: Trust, notes: &[String], data: Option<&Path>) -> anyhow::Result<Verdict> {
    let mut head = [0u8; 16];
    let read = std::fs::File::open(file)
        .and_then(|mut f| std::io::Read::read(&mut f, &mut head))
        .with_context(|| format!("could not read {}", file.display()))?;
    if head[..read].starts_with(b"SQLite format 3") {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        let name = file.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let store = Store::open_for_reading(&format!("sqlite://{name}"), &folder).await?;
        return verify_with(&store, keys_of(trust.keys, &folder), notes).await;
    }
    if let Some(data) = data {
        trust.keys = keys_of(trust.keys, data);
    }
    let beginning: String =
        std::io::BufRead::lines(BufReader::new(std::fs::File::open(file)?)).next().transpose()?.unwrap_or_default();
    if export::is_export(&beginning) {
        return Ok(export::verify(BufReader::new(std::fs::File::open(file)?), trust));
    }
    let text = std::fs::read_to_string(file)?;
    // A gate's whole answer is taken too: what was signed of it, and its proof under its checkpoint.
    if Spoken::is_meant(&text) {
        return spoken(&text, &trust, None);
    }
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text)
        && let Some(note) = answer.get("signed").and_then(|note| note.as_str())
    {
        let said = spoken(note, &trust, Some(&answer))?;
        if let (Some(checkpoint), Some(proof)) =
            (answer.get("checkpoint").and_then(|c| c.as_str()), answer.get("proof").filter(|p| !p.is_null()))
        {
            let entry = serde_json::from_value(proof.clone()).context("the answer's proof does not read")?;
            let proved = crate::ledger::Proof::new(checkpoint.to_owned(), None, vec![entry]).verify(&trust);
            return Ok(if said.ok { proved.also(&said) } else { said });
        }
        return Ok(said);
    }
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text)
        && let (Some(checkpoint), Some(proof)) =
            (answer.get("checkpoint").and_then(|c| c.as_str()), answer.get("proof").filter(|p| !p.is_null()))
        && answer.get("format").is_none()
    {
        let entry = serde_json::from_value(proof.clone()).context("the answer's proof does not read")?;
        return Ok(crate::ledger::Proof::new(checkpoint.to_owned(), None, vec![entry]).verify(&trust));
    }
    if crate::ledger::Continuation::is_meant(&text) {
        let proof = crate::ledger::Continuation::parse(&text).map_err(|why| anyhow::anyhow!(why))?;
        return Ok(proof.verify(&trust));
    }
    let proof = crate::ledger::Proof::parse(&text).map_err(|why| anyhow::anyhow!(why))?;
    Ok(proof.verify(&trust))
}

fn spoken(note: &str, trust: &Trust, answer: Option<&serde_json::Value>) -> anyhow::Result<Verdict> {
    let spoken =
        Spoken::parse(note).map_err(|why| anyhow::anyhow!("the gate's signed answer cannot be read: {why}"))?;
    Ok(spoken.verify(trust, answer))
}

/// Acts on the ledger through the running server, or on the store itself.
pub(super) async fn acts(place: &Place, act: &Act) -> anyhow::Result<u8> {
    let done = match place.instance().await? {
        Instance::Running(server) => server.post("/api/ledger/act", &serde_json::to_value(act)?).await?,
        Instance::Own(app) => {
            let done = crate::ledger::act(&app, act).await;
            app.store.close().await;
            done?
        }
    };
    print(&done.to_string());
    super::tell(done.get("says").and_then(serde_json::Value::as_str).unwrap_or_default());
    Ok(0)
}

async fn held(place: &Place) -> anyhow::Result<u8> {
    let holds = match place.instance().await? {
        Instance::Running(server) => {
            let told = server.get("/api/ledger", &[("most", "1".to_owned())]).await?;
            told.get("holds").cloned().unwrap_or_default()
        }
        Instance::Own(app) => {
            let holds = crate::ledger::holds(&app.store).await?;
            holds
                .iter()
                .map(|h| serde_json::json!({ "scope": h.scope.to_string(), "entry": h.seq, "by": h.by }))
                .collect()
        }
    };
    print(&holds.to_string());
    super::tell(&match holds.as_array().map_or(0, Vec::len) {
        0 => "No hold is in force.".to_owned(),
        1 => "1 hold is in force.".to_owned(),
        n => format!("{n} holds are in force."),
    });
    Ok(0)
}

async fn prove(
    place: &Place,
    plan: Option<String>,
    entry: Option<i64>,
    from: Option<String>,
    format: &str,
) -> anyhow::Result<String> {
    match place.instance().await? {
        Instance::Running(server) => {
            let query: Vec<(&str, String)> = plan
                .map(|plan| ("plan", plan))
                .into_iter()
                .chain(entry.map(|seq| ("entry", seq.to_string())))
                .chain(from.map(|from| ("from", from)))
                .chain([("format", format.to_owned())])
                .collect();
            match format {
                "tlog" => server.text("/api/ledger/proof", &query).await,
                _ => Ok(server.get("/api/ledger/proof", &query).await?.to_string()),
            }
        }
        Instance::Own(app) => {
            let (store, signer) = (&app.store, &app.signer);
            if let Some(from) = from {
                return Ok(crate::ledger::continuation(store, signer, &from).await??.json());
            }
            let proof = match (plan, entry) {
                (Some(plan), _) => crate::ledger::plan_proof(store, signer, &PlanId::new(plan.to_lowercase())).await?,
                (None, seq) => crate::ledger::entry_proof(store, signer, seq.unwrap_or(0)).await?,
            };
            let proof = proof.context("the record has no such plan or entry")?;
            match format {
                "tlog" => proof.tlog().context("the record has no such plan or entry"),
                _ => Ok(proof.json()),
            }
        }
    }
}
