//! Locks, freezes, queues, and who waits.

use super::refusal;
use crate::advice::says;
use crate::clock::{HOUR, Time};
use crate::config::{Settings, Span as Length};
use crate::hold::{End, Lock, Scope};
use crate::message::{Block, Button, ButtonStyle, Level, Line, Mark, Message, Span, tame};
use crate::name::{Environment, Person, PlanId, Role};
use crate::store::hold::{FreezeRow, LockRow, Place};
use crate::store::plan::PlanRow;

/// The channel's message about a lock that stands.
pub fn locked(lock: &Lock, former: Option<&Person>, settings: &Settings, now: Time) -> Message {
    let mut spans = vec![Span::person(&lock.owner)];
    match former {
        Some(former) => {
            spans.push(Span::plain(format!(" took over the lock on {} from ", lock.scope)));
            spans.push(Span::person(former));
        }
        None => spans.push(Span::plain(format!(" locked {}", lock.scope))),
    }
    spans.push(Span::plain(format!(
        " until {}: “{}”. Others wait; {}'s own plans go on.",
        says::time(lock.until, settings.team.zone, now),
        tame(&lock.why, 300),
        lock.owner
    )));
    let mut message = Message { level: Level::Caution, ..Message::spans(Some(Mark::Hold), spans) };
    offer(&mut message, &lock.scope);
    message
}

/// The same when it is over.
pub fn over(lock: &Lock, how: End, by: Option<&Person>) -> Message {
    let mut spans = vec![Span::plain(format!("The lock on {} by ", lock.scope)), Span::person(&lock.owner)];
    spans.extend(ended(how, by));
    spans.push(Span::plain(format!(" It was: “{}”.", tame(&lock.why, 300))));
    Message::spans(Some(Mark::Pass), spans)
}

fn ended(how: End, by: Option<&Person>) -> Vec<Span> {
    match (how, by) {
        (End::Stolen, Some(by)) => vec![Span::plain(" was taken over by "), Span::person(by), Span::plain(".")],
        (End::Unlocked, Some(by)) => vec![Span::plain(" is over: unlocked by "), Span::person(by), Span::plain(".")],
        (End::Stolen | End::Unlocked, None) => vec![Span::plain(" is over.")],
        (End::Expired, _) => vec![Span::plain(" ran out.")],
    }
}

/// In the thread of a plan that waits for it.
pub fn you_wait(row: &PlanRow, lock: &Lock, settings: &Settings, now: Time) -> Message {
    let spans = vec![
        Span::person(&lock.owner),
        Span::plain(format!(
            " locked {} until {}: “{}”. {} waits.",
            lock.scope,
            says::time(lock.until, settings.team.zone, now),
            tame(&lock.why, 300),
            row.plan.id
        )),
    ];
    let mut message = Message { level: Level::Caution, ..Message::spans(Some(Mark::Hold), spans) };
    offer(&mut message, &Scope::target(&row.plan.service, &row.plan.environment));
    message
}

/// And when it is over.
pub fn free_again(row: &PlanRow, lock: &Lock, how: End, by: Option<&Person>) -> Message {
    let mut spans = vec![Span::plain(format!("The lock on {} by {}", lock.scope, lock.owner))];
    spans.extend(ended(how, by));
    spans.push(Span::plain(" "));
    spans.push(Span::person(&row.plan.by));
    spans.push(Span::plain(format!(": {} no longer waits for it.", row.plan.id)));
    Message::spans(Some(Mark::Pass), spans)
}

/// To the owner, before the end.
pub fn still_needed(lock: &Lock, settings: &Settings, now: Time) -> Message {
    let says = format!(
        "Your lock on {} ends at {}: “{}”. Is it still needed?",
        lock.scope,
        says::time(lock.until, settings.team.zone, now),
        tame(&lock.why, 300)
    );
    let longer = Length::from_ms(settings.hold.lock_for.ms().max(HOUR / 60));
    let button = |id: String, says: String| Button { id, says, style: ButtonStyle::Plain };
    Message {
        buttons: vec![
            button(format!("lock {} --for {longer}", lock.scope.key()), format!("Keep it for {longer} from now")),
            button(format!("unlock {}", lock.scope.key()), "Unlock now".to_owned()),
        ],
        level: Level::Info,
        ..Message::line(Mark::Hold, says)
    }
}

pub fn kept(lock: &Lock, settings: &Settings, now: Time) -> Message {
    let until = says::time(lock.until, settings.team.zone, now);
    Message::line(Mark::Pass, format!("Your lock on {} now ends at {until}.", lock.scope))
}

/// To whoever held it.
pub fn taken_from_you(lock: &Lock, settings: &Settings, now: Time) -> Message {
    let until = says::time(lock.until, settings.team.zone, now);
    let spans = vec![
        Span::person(&lock.owner),
        Span::plain(format!(" took over your lock on {} until {until}: “{}”.", lock.scope, tame(&lock.why, 300))),
    ];
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Hold), spans) }
}

pub fn yours_was_unlocked(lock: &Lock, by: &Person, why: Option<&str>) -> Message {
    let why = why.map(|why| format!(": “{}”", tame(why, 300))).unwrap_or_default();
    let spans = vec![Span::person(by), Span::plain(format!(" unlocked {}, which you had locked{why}.", lock.scope))];
    Message::spans(Some(Mark::Hold), spans)
}

/// To whoever wanted to lock what somebody else holds.
pub fn is_locked(lock: &Lock, settings: &Settings, now: Time) -> Message {
    let command = &settings.chat.command;
    let key = lock.scope.key();
    let way = if lock.left {
        format!("@{} is no longer here: `{command} unlock {key}` ends it.", lock.owner)
    } else {
        format!("`{command} lock {key} --steal --why \"…\"` takes it over and tells them.")
    };
    let mut message = refusal::plain(&format!("{} {way}", standing(lock, settings, now)));
    offer(&mut message, &lock.scope);
    message
}

/// "production is locked by @ada until 13:00 PST: “a repair”."
fn standing(lock: &Lock, settings: &Settings, now: Time) -> String {
    format!(
        "{} is locked by @{} until {}: “{}”.",
        says::capital(&lock.scope.to_string()),
        lock.owner,
        says::time(lock.until, settings.team.zone, now),
        tame(&lock.why, 300)
    )
}

pub fn say_why(settings: &Settings, scope: &Scope, steal: bool) -> String {
    let steal = if steal { " --steal" } else { "" };
    let example = format!("`{} lock {}{steal} --why \"…\" --for 2h`", settings.chat.command, scope.key());
    format!("Say why others should wait: {example}.")
}

pub fn not_locked(scope: &Scope) -> String {
    format!("{} is not locked.", says::capital(&scope.to_string()))
}

pub fn may_not_unlock(lock: &Lock, settings: &Settings, now: Time) -> String {
    format!(
        "{} They can unlock it{}; `{} lock {} --steal --why \"…\"` takes it over and tells them.",
        standing(lock, settings, now),
        or_roles(&settings.hold.unlock),
        settings.chat.command,
        lock.scope.key()
    )
}

fn or_roles(roles: &[Role]) -> String {
    let roles: Vec<&str> = roles.iter().map(Role::as_str).collect();
    if roles.is_empty() { String::new() } else { format!(", and so can {}", says::any_of(&roles)) }
}

pub fn may_not_freeze(settings: &Settings) -> String {
    let roles: Vec<&str> = settings.hold.freeze.iter().map(Role::as_str).collect();
    if roles.is_empty() {
        return "No role may add or lift freezes (`[hold] freeze` in the settings).".to_owned();
    }
    format!("Freezes are added and lifted by {}. A lock is open to all: `lock`.", says::any_of(&roles))
}

pub fn no_freeze(id: &str, open: &[&str]) -> String {
    let there =
        if open.is_empty() { "There is none now.".to_owned() } else { format!("There are: {}.", open.join(", ")) };
    format!("There is no freeze `{}` that could be lifted. {there}", tame(id, 40))
}

/// The channel's message about a freeze.
pub fn freeze(row: &FreezeRow, settings: &Settings, now: Time) -> Message {
    let mut spans = vec![Span::person(&row.owner)];
    spans.push(Span::plain(format!(" freezes {}.", freeze_says(row, settings, now))));
    Message { level: Level::Caution, ..Message::spans(Some(Mark::Caution), spans) }
}

/// "production Wed 25 Nov 18:00–Mon 30 Nov 09:00 PST: “Black Friday” (freeze-1; hotfixes for open incidents go on)"
fn freeze_says(row: &FreezeRow, settings: &Settings, now: Time) -> String {
    let entry = &row.freeze.entry;
    let except = match row.freeze.except.says() {
        says if says.is_empty() => String::new(),
        says => format!("; {says} excepted"),
    };
    format!(
        "{} {}: “{}” ({}{except})",
        row.freeze.scope(),
        says::range(entry.start, entry.end, settings.team.zone, now),
        tame(&entry.summary, 300),
        entry.uid
    )
}

/// In the threads of plans that wait.
pub fn freeze_added(row: &FreezeRow, settings: &Settings, now: Time) -> Message {
    freeze(row, settings, now)
}

pub fn freeze_begins(row: &FreezeRow, settings: &Settings, now: Time) -> Message {
    let says = format!("The freeze begins: {}.", freeze_says(row, settings, now));
    Message { level: Level::Caution, ..Message::line(Mark::Caution, says) }
}

/// When it is over, by its time or because somebody lifted it.
pub fn freeze_over(row: &FreezeRow, by: Option<&Person>, why: Option<&str>) -> Message {
    let entry = &row.freeze.entry;
    let what = format!("{} “{}” on {}", entry.uid, tame(&entry.summary, 200), row.freeze.scope());
    let Some(by) = by else { return Message::line(Mark::Pass, format!("The freeze {what} is over.")) };
    let why = why.map(|why| format!(": “{}”", tame(why, 300))).unwrap_or_default();
    Message::spans(Some(Mark::Pass), vec![Span::person(by), Span::plain(format!(" lifted the freeze {what}{why}."))])
}

/// The answer to `freeze list`.
pub fn freezes(rows: &[FreezeRow], settings: &Settings, now: Time) -> Message {
    let lines: Vec<Line> = rows.iter().map(|row| freeze_line(row, settings, now)).collect();
    if lines.is_empty() {
        return Message::line(
            Mark::Pass,
            "No freeze is in force or coming that lives here. Calendars may hold others: `windows` shows them.",
        );
    }
    let says = "Freezes that live here, beside those in calendars".to_owned();
    Message { blocks: vec![Block::List { says, lines, folded: false }], ..Message::default() }
}

fn freeze_line(row: &FreezeRow, settings: &Settings, now: Time) -> Line {
    let mark = if row.freeze.holds(now) { Mark::Caution } else { Mark::Info };
    Line::marked(mark, format!("{}, by @{}", freeze_says(row, settings, now), row.owner))
}

/// Adds the button that asks to be told.
pub fn offer(message: &mut Message, scope: &Scope) {
    let id = format!("tell-me {}", scope.key());
    message.buttons.push(Button { id, says: "Tell me when it is free".to_owned(), style: ButtonStyle::Plain });
}

pub fn wished(scope: &Scope, held: bool) -> Message {
    if held {
        Message::line(Mark::Note, format!("You will be told once, when nothing holds {scope} any more."))
    } else {
        Message::line(Mark::Pass, format!("Nothing holds {scope} now."))
    }
}

pub fn free(scope: &Scope, settings: &Settings) -> Message {
    let says = format!("{} is free: no lock or freeze here holds it any more.", says::capital(&scope.to_string()));
    let hint = scope.environment.as_ref().map(|e| format!(" `{} status {e}` shows the rest.", settings.chat.command));
    Message::line(Mark::Pass, format!("{says}{}", hint.unwrap_or_default()))
}

/// Why a plan in a queue cannot begin: another is under way.
pub fn under_way(other: &PlanRow) -> String {
    let plan = &other.plan;
    format!("{} is under way in {}; here one deployment begins after the other.", plan.id, plan.environment)
}

/// Why a plan in a queue cannot begin: it is another's turn.
pub fn not_your_turn(first: &PlanRow, until: Time, number: Option<usize>, settings: &Settings, now: Time) -> String {
    let own = number.map(|n| format!("; this one is number {n} in the queue")).unwrap_or_default();
    let until = says::time(until, settings.team.zone, now);
    format!(
        "It is the turn of {} by {} in {} until {until}{own}.",
        first.plan.id, first.plan.by, first.plan.environment
    )
}

pub fn joined(row: &PlanRow, number: usize, behind: Option<&PlanId>) -> Message {
    let behind = behind.map(|plan| format!(", behind {plan}")).unwrap_or_default();
    let says = format!(
        "{} is number {number} in the queue for {}{behind}. @{} is told when it is its turn.",
        row.plan.id, row.plan.environment, row.plan.by
    );
    Message::line(Mark::Note, says)
}

/// `until`: how long the turn holds while others wait.
pub fn your_turn(row: &PlanRow, until: Option<Time>, settings: &Settings, now: Time) -> Message {
    let until = until
        .map(|at| {
            format!(" Others wait until {}; then it is the next one's turn.", says::time(at, settings.team.zone, now))
        })
        .unwrap_or_default();
    let spans = vec![
        Span::person(&row.plan.by),
        Span::plain(format!(": it is the turn of {} in {}.{until}", row.plan.id, row.plan.environment)),
    ];
    Message { level: Level::Info, ..Message::spans(Some(Mark::Window), spans) }
}

pub fn passed(row: &PlanRow) -> Message {
    let says = format!(
        "{} was not begun in its turn; it is the next one's now, and this one stands at the end of the queue.",
        row.plan.id
    );
    Message::line(Mark::Note, says)
}

/// What `status` says of locks, freezes and queues.
pub fn status(
    locks: &[LockRow],
    freezes: &[FreezeRow],
    queues: &[(Environment, Vec<(Place, PlanRow)>)],
    settings: &Settings,
    now: Time,
) -> Vec<Block> {
    let mut blocks = Vec::new();
    let locked: Vec<Line> = locks
        .iter()
        .map(|row| {
            let left =
                if row.lock.left { " Its owner is no longer here: anyone who may lock can unlock it." } else { "" };
            Line::marked(Mark::Hold, format!("{}{left}", standing(&row.lock, settings, now)))
        })
        .collect();
    let frozen: Vec<Line> = freezes.iter().map(|row| freeze_line(row, settings, now)).collect();
    for (says, lines) in [("Locked", locked), ("Frozen, or about to be", frozen)] {
        if !lines.is_empty() {
            blocks.push(Block::List { says: says.to_owned(), lines, folded: false });
        }
    }
    for (environment, line) in queues.iter().filter(|(_, line)| !line.is_empty()) {
        let lines = line
            .iter()
            .enumerate()
            .map(|(i, (place, row))| {
                let turn = place.turn.map(|at| format!(", its turn since {}", says::time(at, settings.team.zone, now)));
                let text = format!("{}. {} by @{}{}", i + 1, row.plan.id, row.plan.by, turn.unwrap_or_default());
                Line::plain(text)
            })
            .collect();
        blocks.push(Block::List { says: format!("In line for {environment}"), lines, folded: false });
    }
    blocks
}

/// The scopes of a status that somebody may want to hear about, widest first, at most three.
pub fn offers(message: &mut Message, locks: &[LockRow], freezes: &[FreezeRow], now: Time) {
    let mut scopes: Vec<Scope> = locks.iter().map(|row| row.lock.scope.clone()).collect();
    scopes.extend(freezes.iter().filter(|row| row.freeze.holds(now)).map(|row| row.freeze.scope()));
    scopes.sort();
    scopes.dedup();
    for scope in scopes.iter().take(3) {
        let id = format!("tell-me {}", scope.key());
        let says = format!("Tell me when {} is free", tame(&scope.to_string(), 40));
        message.buttons.push(Button { id, says, style: ButtonStyle::Plain });
    }
}
