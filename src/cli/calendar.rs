//! `tidegate calendar`: what the calendar source makes of a file or an address.

use clap::Args;

use super::print;
use super::serve::moment;
use crate::clock::Clock;
use crate::source::calendar::look;
use crate::source::ics::calendar_json;

#[derive(Debug, Args)]
pub struct CalendarArgs {
    /// A file or an http(s) address
    from_where: String,
    /// From this moment: 2026-11-20, 2026-11-20T00:00Z
    #[arg(long)]
    from: String,
    /// To this moment
    #[arg(long)]
    to: String,
    /// The zone of times without one
    #[arg(long, default_value = "UTC")]
    zone: String,
}

pub async fn run(args: CalendarArgs) -> anyhow::Result<u8> {
    let zone: chrono_tz::Tz =
        args.zone.parse().map_err(|_| anyhow::anyhow!("--zone: `{}` is no IANA time zone", args.zone))?;
    let now = Clock::system().now();
    let (from, to) = (moment(&args.from, now, zone)?, moment(&args.to, now, zone)?);
    anyhow::ensure!(from < to, "--from lies after --to");
    let expansion = look(&args.from_where, from..to, zone, now).await?;
    print(&calendar_json(&expansion).to_string());
    for reason in &expansion.incomplete {
        super::tell(&format!("incomplete: {reason}"));
    }
    Ok(if expansion.incomplete.is_empty() { 0 } else { 2 })
}
