//! What is said about accounts that are linked: codes, notices to both sides, refusals. Accounts are named by their
//! platform's ids, never by a name that anybody may choose.

use crate::advice::says;
use crate::clock::Time;
use crate::config::{PersonKind, Settings};
use crate::message::{Block, Line, Mark, Message, Span, tame};
use crate::name::Person;
use crate::people::account::{Account, Link, Method};

/// Why a code was refused, or the asking for one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No code, or not as it was given.
    Wrong,
    Expired,
    Used,
    /// Its owner asked for another one since.
    Replaced,
    /// Too many wrong ones began as it does.
    Burnt,
    /// Whoever asked is no member any more, or not with that account.
    Gone,
    /// The account is somebody's.
    Known(Person),
    /// The settings name the account for several people.
    Several,
    /// A guest, a bot, a deactivated account.
    Kind(PersonKind),
    /// The code was asked for on the same platform and workspace.
    SamePlace,
    /// The console and the terminal know the people of the settings alone.
    Platform,
    /// Asked for with an account that is itself known by a code.
    Linked,
    /// Too many refused codes from one account, which waits until then.
    TooMany(Time),
}

impl Refused {
    pub const TOO_MANY: &str = "too_many";

    /// The stable code, for the record.
    pub fn code(&self) -> &'static str {
        match self {
            Refused::Wrong => "wrong",
            Refused::Expired => "expired",
            Refused::Used => "used",
            Refused::Replaced => "replaced",
            Refused::Burnt => "burnt",
            Refused::Gone => "gone",
            Refused::Known(_) => "known",
            Refused::Several => "several",
            Refused::Kind(PersonKind::Bot) => "bot",
            Refused::Kind(PersonKind::Deactivated) => "deactivated",
            Refused::Kind(_) => "guest",
            Refused::SamePlace => "same_place",
            Refused::Platform => "platform",
            Refused::Linked => "linked",
            Refused::TooMany(_) => Refused::TOO_MANY,
        }
    }
}

/// The refusal in one sentence, to whoever typed it alone.
pub fn refused(refused: &Refused, settings: &Settings, now: Time) -> Message {
    let link = format!("`{} link`", settings.chat.command);
    let text = match refused {
        Refused::Wrong => {
            format!("That is no code of mine. Type {link} where you are known and use the code as it stands there.")
        }
        Refused::Expired => format!(
            "That code has expired: a code is good for ten minutes. {link} where you are known gives a new one."
        ),
        Refused::Used => format!("That code was used already. {link} where you are known gives a new one."),
        Refused::Replaced => "That code was replaced by a newer one. Use the newest.".to_owned(),
        Refused::Burnt => format!(
            "That code is no longer good: too many wrong ones were tried in its place. {link} where you are known gives a new one."
        ),
        Refused::Gone => "Whoever asked for that code is not known with that account any more.".to_owned(),
        Refused::Known(person) => {
            format!("This account is {person}'s already; a code makes an account somebody's that nobody knows.")
        }
        Refused::Several => {
            "The settings name this account for several people, so it is nobody's until they are mended.".to_owned()
        }
        Refused::Kind(PersonKind::Bot) => "A bot is nobody's account.".to_owned(),
        Refused::Kind(PersonKind::Deactivated) => "This account is deactivated, so it cannot be anybody's.".to_owned(),
        Refused::Kind(_) => "This account is a guest here, so it cannot be anybody's.".to_owned(),
        Refused::SamePlace => {
            "That code was asked for here; it is for an account on another platform or workspace.".to_owned()
        }
        Refused::Platform => {
            "People are known here by the settings alone; a code is for an account on Slack or Discord.".to_owned()
        }
        Refused::Linked => format!("This account is known by a code itself. Type {link} where the settings know you."),
        Refused::TooMany(until) => {
            let until = says::time(*until, settings.team.zone, now);
            format!("Too many codes from this account were refused. I look at the next one after {until}.")
        }
    };
    Message::line(Mark::Info, text)
}

/// The code, to whoever asked alone; beside it what is linked to them already.
pub fn code(code: &str, own: &[&Link], settings: &Settings) -> Message {
    let command = &settings.chat.command;
    let mut blocks = vec![Block::Line(Line {
        mark: Some(Mark::Info),
        spans: vec![
            Span::plain("From the account that is to be yours, within ten minutes, type "),
            Span::code(format!("{command} link {code}")),
            Span::plain(". It works once. Give it to nobody: whoever types it speaks as you."),
        ],
        code: None,
    })];
    if !own.is_empty() {
        let line = |link: &&Link| Line::plain(format!("{}, {}", link.account, by(link, settings)));
        blocks.push(Block::List {
            says: format!("Linked to you; `{command} link unlink ACCOUNT` ends it"),
            lines: own.iter().map(line).collect(),
            folded: false,
        });
    }
    Message { blocks, ..Message::default() }
}

/// To the account that is somebody's from now on.
pub fn linked(link: &Link, settings: &Settings) -> Message {
    let text =
        format!(". What is said with it is said by them. If that is not you: `{} link unlink`.", settings.chat.command);
    let spans = vec![Span::plain("This account is now "), Span::person(&link.person), Span::plain(text)];
    Message::spans(Some(Mark::Pass), spans)
}

/// To the person's other accounts: whoever stole a session is heard of here.
pub fn was_linked(link: &Link, asked: Option<&Account>, settings: &Settings, now: Time) -> Message {
    let at = says::time(link.since, settings.team.zone, now);
    let how = match (link.method, asked) {
        (Method::Code, Some(asked)) => format!("by a code that was asked for with {asked}"),
        (Method::Code, None) => "by a code".to_owned(),
        (Method::Email, _) => "because its confirmed address is yours".to_owned(),
    };
    let account = &link.account;
    Message::line(
        Mark::Caution,
        format!(
            "The account {account} was linked to you, {at}, {how}: what it says counts as yours. If that was not you, type `{} link unlink {account}`, and tell whoever looks after your accounts: somebody speaks with one of them.",
            settings.chat.command
        ),
    )
}

/// To both sides, when a link ended.
pub fn was_ended(link: &Link, because: &str) -> Message {
    let why = match because {
        "unlinked" => "it was unlinked",
        "operator" => "an operator ended it",
        "settings" => "the settings say whose it is",
        "person" => "its person is no longer in the settings",
        "email" => "its confirmed address is theirs no more",
        _ => "it was ended",
    };
    let account = &link.account;
    Message::line(Mark::Info, format!("The account {account} is no longer linked to {}: {why}.", link.person))
}

pub fn unlinked(link: &Link) -> Message {
    Message::line(Mark::Pass, format!("Done: {} is nobody's account now.", link.account))
}

pub fn nothing_linked() -> String {
    "No account is linked to you. What the settings say is changed there.".to_owned()
}

/// Which of several is meant.
pub fn which(own: &[Link]) -> String {
    let all: Vec<String> = own.iter().map(|link| format!("`{}`", link.account)).collect();
    format!("Name one of the accounts that are linked to you: {}.", all.join(", "))
}

/// To somebody whom nobody knows and who typed no code.
pub fn ask_where_known(settings: &Settings) -> Message {
    let command = &settings.chat.command;
    Message::line(
        Mark::Info,
        format!(
            "I do not know this account. Type `{command} link` where I know you: you get a code, and `{command} link CODE` here makes this account yours."
        ),
    )
}

/// In a plan's thread, when words were given with an account that is nobody's any more.
pub fn no_longer_counts(link: &Link, progress: &str) -> Message {
    Message::spans(
        Some(Mark::Note),
        vec![
            Span::plain("What "),
            Span::person(&link.person),
            Span::plain(format!(
                " said with {} no longer counts: the account is not theirs any more. {progress}",
                link.account
            )),
        ],
    )
}

/// Why an override is over that was given with it.
pub fn not_theirs(link: &Link) -> String {
    format!("it was given with {}, which is not {}'s account any more", link.account, link.person)
}

pub fn no_account(typed: &str) -> String {
    format!("`{}` is no account: write slack/TEAM/USER or discord/USER.", tame(typed, 80))
}

pub fn not_linked(account: &Account) -> String {
    format!("No link of {account} stands. What the settings say is changed there.")
}

pub fn ended_by_operator(link: &Link) -> String {
    format!("{} is no longer {}'s account; both sides are told.", link.account, link.person)
}

/// "by a code since 3 November 2026".
fn by(link: &Link, settings: &Settings) -> String {
    let since = link.since.at(settings.team.zone).format("%-d %B %Y");
    format!("{} since {since}", how(link.method.as_str()))
}

/// By what an account is known, in words.
pub fn how(known_by: &str) -> &'static str {
    match known_by {
        "settings" => "by the settings",
        "code" => "by a code",
        "email" => "by a confirmed address",
        _ => "by what is not known here",
    }
}
