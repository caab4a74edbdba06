//! `tidegate audit`: verify, show and export the record; verify works offline on a database, an export or a proof.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Subcommand;

use super::evidence::{self, ExportArgs, ObligationsArgs, ReportArgs, ShowArgs};
use super::{Place, print};
use crate::ledger::{PublicKey, SignedCheckpoint, Trust, Verdict, checkpoints_in, export, verify_with};
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
    /// The story of a plan in words; without one, every entry
    Show(ShowArgs),
    /// Lines that anyone can verify, a table, or an evidence pack
    Export(ExportArgs),
    /// Whether a period is complete: deployments and approved plans, both ways
    Report(ReportArgs),
    /// What is owed after overrides, incidents and deployments without a plan
    Obligations(ObligationsArgs),
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
        AuditCommand::Show(args) => evidence::show(args).await,
        AuditCommand::Export(args) => evidence::export(args).await,
        AuditCommand::Report(args) => evidence::report(args).await,
        AuditCommand::Obligations(args) => evidence::obligations(args).await,
    }
}

async fn verify(
    place: &Place,
    what: Option<&Path>,
    checkpoints: &[PathBuf],
    key: Option<&str>,
) -> anyhow::Result<Verdict> {
    let mut trust = Trust::default();
    for file in checkpoints {
        let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let notes = checkpoints_in(&text);
        anyhow::ensure!(!notes.is_empty(), "{} holds no checkpoint", file.display());
        for note in notes {
            trust
                .anchors
                .push(SignedCheckpoint::parse(&note).with_context(|| format!("{} does not read", file.display()))?);
        }
    }
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
            verify_with(&store, keys, &notes).await
        }
    }
}

/// The keys given, or else the one beside the store.
fn keys_of(given: Vec<PublicKey>, data: &Path) -> Vec<PublicKey> {
    if !given.is_empty() {
        return given;
    }
    let text = std::fs::read_to_string(data.join("ledger.key")).unwrap_or_default();
    crate::ledger::SecretKey::parse_file(&text)
        .map(|keys| keys.iter().map(|key| key.public(1)).collect())
        .unwrap_or_default()
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
    // A gate's whole answer is taken too: its proof under its checkpoint.
    if let Ok(answer) = serde_json::from_str::<serde_json::Value>(&text)
        && let (Some(checkpoint), Some(proof)) =
            (answer.get("checkpoint").and_then(|c| c.as_str()), answer.get("proof").filter(|p| !p.is_null()))
        && answer.get("format").is_none()
    {
        let entry = serde_json::from_value(proof.clone()).context("the answer's proof does not read")?;
        return Ok(crate::ledger::Proof::new(checkpoint.to_owned(), None, vec![entry]).verify(&trust));
    }
    let proof = crate::ledger::Proof::parse(&text).map_err(|why| anyhow::anyhow!(why))?;
    Ok(proof.verify(&trust))
}
