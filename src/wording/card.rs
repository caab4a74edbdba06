//! The approval card and the events of a plan, one line each, by name.

use super::{need, short, who, zone};
use crate::advice::{NeedView, Slot, says};
use crate::approval::condition::Watcher;
use crate::approval::deadline::needed_by;
use crate::approval::deputy::Deputy;
use crate::approval::overriding::Override;
use crate::approval::second_step::Step;
use crate::approval::{Tally, Word, WordKind};
use crate::clock::Time;
use crate::config::Settings;
use crate::ledger::Receipt;
use crate::message::{Block, Button, ButtonStyle, Field, FieldKind, Form, Level, Line, Mark, Message, Span};
use crate::name::{Person, PlanId};
use crate::store::plan::{PlanRow, Revision};

/// What was said about a revision beside its brief.
#[derive(Debug, Default)]
pub struct Beside<'a> {
    pub overrides: &'a [Override],
    /// Who stands in for somebody that could approve.
    pub deputies: &'a [Deputy],
    /// Approvals whose givers have yet to confirm them.
    pub steps: &'a [Step],
    /// Approvals that stand on a condition.
    pub conditional: &'a [Word],
    /// Who said that they watch it.
    pub watchers: &'a [Watcher],
}

/// The card of the revision that asks: what approving means, with the ledger's number and checkpoint.
pub fn asks(
    row: &PlanRow,
    revision: &Revision,
    settings: &Settings,
    entry: &Receipt,
    beside: &Beside<'_>,
    now: Time,
) -> Message {
    let commit = row.plan.commit.as_deref().map_or_else(
        || row.plan.set_digest().map_or("no commit".to_owned(), |d| format!("change {}", &d[..19.min(d.len())])),
        |c| format!("commit {}", short(c)),
    );
    let names =
        |what: &str| settings.chat.reactions.get(what).and_then(|names| names.first()).cloned().unwrap_or_default();
    let mut blocks = vec![
        Block::Title {
            text: format!("Revision {} · {commit}", revision.number),
            context: format!("{} · ledger #{}", row.plan.id, entry.seq),
        },
        Block::Line(Line::plain(format!(
            "✅ approve · ⛔ object · ✋ hold. Approving says: I have read this brief, and {} may go to {} as planned, {}.",
            row.plan.service,
            row.plan.environment,
            if row.plan.rollback.is_some() { "with the stated way back" } else { "although no way back is stated" }
        ))),
    ];
    let needs: Vec<Line> = revision.advice.approvals.needs.iter().map(|view| Line::plain(need(view))).collect();
    if needs.is_empty() {
        blocks.push(Block::Line(Line::plain("No approval is asked for.")));
    } else {
        let count: u32 = revision.advice.approvals.needs.iter().map(|view| view.need.count).sum();
        let says = format!("Needed: {}", says::count(i64::from(count), "approval"));
        blocks.push(Block::List { says, lines: needs, folded: false });
        if revision.advice.approvals.needs.iter().any(|view| view.owned.is_some()) {
            let says = "An owner's approval counts for all that they own, and for one of the other places besides.";
            blocks.push(Block::Line(Line::plain(says)));
        }
        let eligible: Vec<String> = revision.advice.approvals.eligible.iter().map(|p| format!("@{p}")).collect();
        let can = if eligible.is_empty() {
            "Nobody known could give it now.".to_owned()
        } else {
            format!("Who can: {}.", eligible.join(", "))
        };
        blocks.push(Block::Line(Line::plain(can)));
    }
    let also = revision.advice.approvals.outside.iter().filter(|view| !revision.advice.approvals.needs.contains(view));
    let also: Vec<String> = also.map(need).collect();
    if !also.is_empty() {
        let says = format!("If it begins outside the allowed window, also: {}.", also.join("; "));
        blocks.push(Block::Line(Line::plain(says)));
    }
    blocks.extend(revision.advice.approvals.notes.iter().map(|note| Block::Line(Line::plain(note.clone()))));
    let mut buttons = Vec::new();
    if let Some(why) = &revision.advice.asked.review {
        blocks.push(Block::Line(review_line(row, revision, why)));
        if row.reviewed.is_none() {
            buttons.push(Button {
                id: format!("review {} sound", row.plan.id),
                says: "The plan is sound".to_owned(),
                style: ButtonStyle::Plain,
            });
            buttons.push(Button {
                id: format!("review {} changes", row.plan.id),
                says: "It needs changes".to_owned(),
                style: ButtonStyle::Plain,
            });
        }
    }
    if revision.advice.category.contested && row.category.is_none() {
        let doubt = revision
            .advice
            .category
            .doubt
            .clone()
            .unwrap_or_else(|| "The declared risk or category looks too low.".to_owned());
        blocks.push(Block::Line(Line::marked(
            Mark::Caution,
            format!("{doubt} An eligible person other than planner and authors settles it."),
        )));
        buttons.push(Button {
            id: format!("settle-high {}", row.plan.id),
            says: "It is high-risk".to_owned(),
            style: ButtonStyle::Danger,
        });
        buttons.push(Button {
            id: format!("settle-declared {}", row.plan.id),
            says: "The declared word is right".to_owned(),
            style: ButtonStyle::Plain,
        });
    }
    if let Some(asked) = &revision.advice.asked.second_step {
        blocks.push(Block::Line(Line::plain(super::second_step::rule(row, asked))));
    }
    let steps = beside.steps.iter().map(|step| super::second_step::line(row, step, settings, now));
    blocks.extend(steps.map(Block::Line));
    if let Some(by) = needed_by(&row.plan, settings).filter(|_| !revision.advice.approvals.needs.is_empty()) {
        blocks.push(Block::Line(Line::plain(super::deadline::line(row, by, settings, now))));
    }
    let deputies: Vec<Line> = beside.deputies.iter().map(|deputy| super::deputy::line(deputy, settings, now)).collect();
    if !deputies.is_empty() {
        blocks.push(Block::List { says: "Deputies".to_owned(), lines: deputies, folded: false });
    }
    let conditional = beside.conditional.iter().filter_map(|word| Some((word, word.only_if.as_ref()?)));
    let conditional: Vec<Line> =
        conditional.map(|(word, only_if)| super::condition::line(word, only_if, row, settings, now)).collect();
    if !conditional.is_empty() {
        blocks.push(Block::List { says: "Approvals on a condition".to_owned(), lines: conditional, folded: false });
    }
    if !beside.watchers.is_empty() {
        blocks.push(Block::Line(super::condition::watching(beside.watchers)));
    }
    let overrides: Vec<Line> = beside.overrides.iter().map(super::overriding::line).collect();
    if !overrides.is_empty() {
        blocks.push(Block::List { says: "Overrides".to_owned(), lines: overrides, folded: false });
    }
    blocks.push(Block::Code {
        says: format!("Checkpoint of the ledger at #{}", entry.seq),
        text: entry.checkpoint.clone(),
    });
    if !revision.advice.approvals.needs.is_empty() && revision.advice.asked.second_step.is_none() {
        buttons.push(Button {
            id: format!("approve-if {} --revision {}", row.plan.id, row.revision),
            says: "Approve if…".to_owned(),
            style: ButtonStyle::Plain,
        });
    }
    buttons.push(Button {
        id: format!("start {}", row.plan.id),
        says: "Start".to_owned(),
        style: ButtonStyle::Primary,
    });
    buttons.push(Button {
        id: format!("cancel {}", row.plan.id),
        says: "Cancel the plan".to_owned(),
        style: ButtonStyle::Plain,
    });
    buttons.push(Button {
        id: format!("risk {}", row.plan.id),
        says: "Correct the risk".to_owned(),
        style: ButtonStyle::Plain,
    });
    let reactions = ["approve", "object", "hold"].iter().map(|w| names(w)).filter(|n| !n.is_empty()).collect();
    Message { blocks, buttons, reactions, level: Level::Info, ..Message::default() }
}

/// Who reviewed the plan itself, or who could.
fn review_line(row: &PlanRow, revision: &Revision, why: &str) -> Line {
    if let Some((_, by)) = &row.reviewed {
        return Line {
            mark: Some(Mark::Pass),
            spans: vec![Span::person(by), Span::plain(" found the plan sound.")],
            code: None,
        };
    }
    let roles: Vec<String> = revision.advice.asked.reviewers.iter().map(ToString::to_string).collect();
    let who = if roles.is_empty() { "Somebody".to_owned() } else { format!("A {}", roles.join(" or ")) };
    let plan = &row.plan.id;
    Line::marked(
        Mark::Caution,
        format!(
            "{who} other than planner and authors reviews the plan itself before anybody approves it, because {why}: \
             the button below, or `review {plan} changes --note …`."
        ),
    )
}

/// What an older card turns into.
pub fn superseded(plan: &PlanId, number: i64, by: i64) -> Message {
    Message {
        blocks: vec![
            Block::Title { text: format!("Revision {number}"), context: plan.to_string() },
            Block::Line(Line::plain(format!("Superseded by revision {by}. Reactions here no longer count."))),
        ],
        ..Message::default()
    }
}

/// "Grace approved revision 2 as payments lead, 15:42. 1 of 2; one more from anyone but Ada."
pub fn given(row: &PlanRow, word: &Word, tally: &Tally, settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &row.plan.service, &row.plan.environment);
    let (mark, verb) = match word.kind {
        WordKind::Approve => (Mark::Approve, "approved"),
        WordKind::Object => (Mark::Object, "objected to"),
        WordKind::Hold => (Mark::Hold, "holds"),
    };
    let role = super::in_role(word);
    let mut spans = vec![
        Span::person(&word.person),
        Span::plain(format!(" {verb} revision {}{role}, {}.", word.revision, says::time(word.at, zone, now))),
    ];
    spans.push(Span::plain(match word.kind {
        WordKind::Approve => format!(" {}", progress(row, tally)),
        WordKind::Object => " A reply here gives the reason. The plan waits until it is withdrawn.".to_owned(),
        WordKind::Hold => " The plan waits.".to_owned(),
    }));
    Message::spans(Some(mark), spans)
}

/// An approval that came past the chat: loud, with its reason.
pub fn given_in_terminal(
    row: &PlanRow,
    word: &Word,
    tally: &Tally,
    why: &str,
    settings: &Settings,
    now: Time,
) -> Message {
    let zone = zone(settings, &row.plan.service, &row.plan.environment);
    let at = says::time(word.at, zone, now);
    let spans = vec![
        Span::person(&word.person),
        Span::plain(format!(" approved revision {}{}, ", word.revision, super::in_role(word))),
        Span::strong("past the chat"),
        Span::plain(format!(", {at}. The reason: \"{}\". {}", crate::message::tame(why, 400), progress(row, tally))),
    ];
    Message::spans(Some(Mark::Caution), spans)
}

/// To somebody without whom it cannot go on. `able`: how many could give this word.
pub fn needs_you(
    row: &PlanRow,
    revision: &Revision,
    need: &NeedView,
    able: usize,
    settings: &Settings,
    now: Time,
) -> Message {
    let plan = &row.plan;
    let role = need.need.role.as_ref().map(ToString::to_string).unwrap_or_default();
    let who = match (&need.need.person, &need.owned, able) {
        (Some(_), ..) => "you are asked by name".to_owned(),
        (None, Some(owned), 1) => format!("you are the only owner of {}", owned.place),
        (None, Some(owned), _) => format!("you are one of {able} owners of {}", owned.place),
        (None, None, _) if role == crate::approval::role::ON_CALL => "you are on call".to_owned(),
        (None, None, 1) => format!("you are the only {role}"),
        (None, None, _) => format!("you are one of {able} with the role {role}"),
    };
    let because = if need.because.is_empty() { String::new() } else { format!(" because {},", need.because) };
    let start = plan.when.start(now);
    let by = if start > now {
        let zone = zone(settings, &plan.service, &plan.environment);
        format!(" Needed by {}.", says::time(start, zone, now))
    } else {
        String::new()
    };
    let what = plan.version.as_deref().map(|v| format!(" {}", crate::message::tame(v, 60))).unwrap_or_default();
    Message {
        blocks: vec![
            Block::Line(Line {
                mark: Some(Mark::Approve),
                spans: vec![
                    Span::plain("Your word is needed on "),
                    Span::strong(format!("{}{what} → {}", plan.service, plan.environment)),
                    Span::plain(format!(" (`{}`, planned by @{}).", plan.id, plan.by)),
                ],
                code: None,
            }),
            Block::Line(Line::plain(format!(
                "You,{because} and {who}. Risk {} of 100. The brief and the card are in the plan's thread.{by}",
                revision.advice.score.value
            ))),
        ],
        level: Level::Info,
        ..Message::default()
    }
}

/// Marks a line about something that was read back from the platform: nobody was told of it when it happened.
pub fn was_away(message: &mut Message) {
    if let Some(Block::Line(line)) = message.blocks.first_mut() {
        line.spans.push(Span::quiet(" (Read back from the chat: I was not told when it happened.)"));
    }
}

/// `progress`: how the words stand without it.
pub fn withdrawn(person: &Person, kind: WordKind, progress: &str, read_back: bool) -> Message {
    let what = match kind {
        WordKind::Approve => "approval",
        WordKind::Object => "objection",
        WordKind::Hold => "hold",
    };
    let says = format!(" took the {what} back. {progress}");
    let mut message = Message::spans(Some(Mark::Info), vec![Span::person(person), Span::plain(says)]);
    if read_back {
        was_away(&mut message);
    }
    message
}

/// Words on a card whose reactions somebody removed, or that was deleted.
pub fn words_gone(whom: &[Person], because: &str) -> Message {
    let mut spans = vec![Span::plain(because.to_owned())];
    spans.extend(look_again(whom));
    Message::spans(Some(Mark::Caution), spans)
}

/// "1 of 2; still missing: …"
pub fn progress(row: &PlanRow, tally: &Tally) -> String {
    format!("{}{}", of_asked(row, tally), super::condition::all(tally))
}

fn of_asked(row: &PlanRow, tally: &Tally) -> String {
    let (given, asked) = tally.counts();
    if tally.is_enough() {
        return format!("{given} of {asked}: approved.");
    }
    if tally.missing.is_empty() {
        return format!("{given} of {asked}; an objection or a hold stands.");
    }
    let missing: Vec<String> = tally.missing.iter().map(who).collect();
    if tally.missing.iter().all(|view| view.need.person.is_some() || view.owned.is_some()) {
        return format!("{given} of {asked}; still missing: {}.", says::list(&missing));
    }
    format!("{given} of {asked}; still missing: {}, from anyone but @{}.", says::list(&missing), row.plan.by)
}

/// `whom`: the people whose words no longer count.
pub fn amended(row: &PlanRow, by: &Person, whom: &[Person]) -> Message {
    let mut spans =
        vec![Span::person(by), Span::plain(format!(" amended {}. A new revision is being gathered.", row.plan.id))];
    spans.extend(look_again(whom));
    Message::spans(Some(Mark::Note), spans)
}

/// Asks those whose words no longer count to look at the new card.
pub fn look_again(whom: &[Person]) -> Vec<Span> {
    if whom.is_empty() {
        return Vec::new();
    }
    let mut spans = vec![Span::plain(" Earlier words no longer count; please look again: ")];
    for (i, person) in whom.iter().enumerate() {
        if i > 0 {
            spans.push(Span::plain(", "));
        }
        spans.push(Span::person(person));
    }
    spans.push(Span::plain("."));
    spans
}

pub fn taken(row: &PlanRow, slot: &Slot, by: &Person, whom: &[Person], settings: &Settings, now: Time) -> Message {
    let zone = zone(settings, &row.plan.service, &row.plan.environment);
    let when = says::range(slot.start, slot.end, zone, now);
    let mut spans =
        vec![Span::person(by), Span::plain(format!(" set {} for {when}. It is checked again before.", row.plan.id))];
    spans.extend(look_again(whom));
    Message::spans(Some(Mark::Window), spans)
}

pub fn cancelled(row: &PlanRow, by: &Person) -> Message {
    Message::spans(Some(Mark::Info), vec![Span::person(by), Span::plain(format!(" cancelled {}.", row.plan.id))])
}

pub fn expired(row: &PlanRow) -> Message {
    Message::spans(Some(Mark::Info), vec![Span::plain(format!("{} expired: nobody began it in time.", row.plan.id))])
}

pub fn its_time(row: &PlanRow) -> Message {
    Message::spans(
        Some(Mark::Window),
        vec![
            Span::person(&row.plan.by),
            Span::plain(format!(
                ", it is time for {}. It stands as {}; `start {}` begins it.",
                row.plan.id,
                row.state.as_str(),
                row.plan.id
            )),
        ],
    )
}

pub fn started(row: &PlanRow, by: &Person) -> Message {
    let mut spans = vec![Span::person(by), Span::plain(format!(" started {}.", row.plan.id))];
    let tell: Vec<&str> = row.plan.tell.iter().map(String::as_str).collect();
    if !tell.is_empty() {
        spans.push(Span::plain(format!(" For your information: {}.", crate::message::tame(&tell.join(", "), 200))));
    }
    Message::spans(Some(Mark::Start), spans)
}

/// Somebody else than the planner asked to start: the planner is told what is missing.
pub fn asks_to_confirm(row: &PlanRow, by: &Person) -> Message {
    let environment = &row.plan.environment;
    let spans = vec![
        Span::person(by),
        Span::plain(format!(" asked to start {}. {environment} is protected: ", row.plan.id)),
        Span::person(&row.plan.by),
        Span::plain(format!(", type {environment} as a reply here, and it begins.")),
    ];
    Message::spans(Some(Mark::Caution), spans)
}

/// Asks the planner to type the environment's name.
pub fn confirm_form(row: &PlanRow) -> Message {
    let environment = &row.plan.environment;
    Message {
        blocks: vec![Block::Line(Line::marked(
            Mark::Caution,
            format!(
                "{environment} is protected. To start {}, type its name here or as a reply in the thread.",
                row.plan.id
            ),
        ))],
        form: Some(Form {
            id: format!("confirm:{}", row.plan.id),
            title: format!("Start {}", row.plan.id),
            says: format!("Type {environment} to confirm where this goes."),
            fields: vec![Field {
                name: "environment".to_owned(),
                kind: FieldKind::Text,
                label: "Environment".to_owned(),
                hint: "The environment's name, exactly".to_owned(),
                value: String::new(),
                options: Vec::new(),
                required: true,
                offered: false,
            }],
        }),
        ..Message::default()
    }
}

pub fn confirmed(row: &PlanRow, by: &Person) -> Message {
    Message::spans(
        Some(Mark::Pass),
        vec![Span::person(by), Span::plain(format!(" confirmed {} by typing its name.", row.plan.environment))],
    )
}

pub fn reason_kept(by: &Person) -> Message {
    Message::spans(
        Some(Mark::Note),
        vec![Span::plain("Kept with the objection of "), Span::person(by), Span::plain(".")],
    )
}

/// Somebody changed in the chat what they gave as a reason.
pub fn reason_edited(by: &Person) -> Message {
    Message::spans(
        Some(Mark::Note),
        vec![
            Span::person(by),
            Span::plain(" edited the reason of an objection. The new text is kept; the first one stays in the record."),
        ],
    )
}

/// Somebody read the plan itself and found it sound, or not yet.
pub fn reviewed(row: &PlanRow, by: &Person, sound: bool, note: Option<&str>) -> Message {
    let note = note.map(|note| format!(" \"{}\"", crate::message::tame(note, 600))).unwrap_or_default();
    if sound {
        let says = format!(" reviewed the plan {}: sound. It can be approved now.{note}", row.plan.id);
        return Message::spans(Some(Mark::Pass), vec![Span::person(by), Span::plain(says)]);
    }
    let spans = vec![
        Span::person(by),
        Span::plain(format!(" reviewed the plan {} and asks for changes:{note} ", row.plan.id)),
        Span::person(&row.plan.by),
        Span::plain(format!(", `amend {}` changes it.", row.plan.id)),
    ];
    Message::spans(Some(Mark::Caution), spans)
}

/// Somebody corrected the declared risk or category. `whom`: the people whose words no longer count.
pub fn corrected(
    row: &PlanRow,
    by: &Person,
    risk: Option<crate::plan::Risk>,
    category: Option<&str>,
    whom: &[Person],
) -> Message {
    let mut what = Vec::new();
    if row.plan.risk != risk {
        let was = risk.map_or("not declared", crate::plan::Risk::as_str);
        let is = row.plan.risk.map_or("not declared", crate::plan::Risk::as_str);
        what.push(format!("the risk to {is} (it was {was})"));
    }
    if row.plan.category.as_deref() != category {
        let is = row.plan.category.as_deref().unwrap_or("none");
        what.push(format!("the category to {is} (it was {})", category.unwrap_or("not declared")));
    }
    let says = format!(" corrected {} of {}. A new revision is being gathered.", says::list(&what), row.plan.id);
    let mut spans = vec![Span::person(by), Span::plain(says)];
    spans.extend(look_again(whom));
    Message::spans(Some(Mark::Note), spans)
}

pub fn settled(by: &Person, high: bool) -> Message {
    let says = if high {
        " settled it: high-risk. The declared word stays in the record."
    } else {
        " settled it: the declared word is right."
    };
    Message::spans(Some(Mark::Pass), vec![Span::person(by), Span::plain(says)])
}
