//! Pasted commands, read line by line as a shell would: what was exported, selected or entered before counts for what
//! comes after. Nothing is run.

use super::aim::{Aim, By, Effect, Trouble, Value};
use super::expand::{Argument, Command, Remote, assignment, base, host_alone, join, unwrap, worked_out};
use super::name::name_place;
use super::paste;
use super::shell::{Part, Token, TokenKind, Word, is_name, split};
use super::state::{Frame, MOST_FRAMES, Shell, doubt, leave, reserved, set_variable};
use super::tools::{self, LOCAL, SCRIPTS, WRAPPERS, known};

/// The most bytes that are read; what follows is said not to be.
const MOST_BYTES: usize = 64 * 1024;
/// The most commands that become aims.
const MOST_AIMS: usize = 200;
/// The most words of one command.
const MOST_WORDS: usize = 2_000;
/// How deep commands may stand within commands.
const DEEPEST: usize = 6;

/// Reads pasted commands. Commands that do nothing beyond the machine that they are typed on are left out; whatever
/// cannot be read is an aim with its trouble. Never fails; takes time in proportion to the text's length, of which at
/// most 64 KiB are read.
pub fn read(text: &str) -> Vec<Aim> {
    let mut cut = text.len().min(MOST_BYTES);
    while !text.is_char_boundary(cut) {
        cut -= 1;
    }
    let mut reader = Reader { aims: Vec::new(), full: false };
    let script = paste::as_script(&text[..cut], is_command);
    for (at, line) in script.lines().enumerate() {
        if let Some(why) = paste::deceiving(line) {
            let word = Word { raw: line.trim().to_owned(), parts: Vec::new() };
            reader.trouble(at + 1, paste::shown([&word].into_iter()), Trouble::Characters(why));
        }
    }
    reader.script(&script, 1, &mut Shell::default(), None, 0);
    reader.aims.sort_by_key(|aim| aim.line);
    if cut < text.len() {
        let line = script.lines().count().max(1);
        reader.aims.push(unread(line, String::new(), Trouble::TooLong(text.len())));
    }
    reader.aims
}

struct Reader {
    aims: Vec<Aim>,
    full: bool,
}

impl Reader {
    fn trouble(&mut self, line: usize, text: String, trouble: Trouble) {
        self.add(unread(line, text, trouble));
    }

    fn add(&mut self, aim: Aim) {
        if self.full {
            return;
        }
        if self.aims.len() >= MOST_AIMS {
            self.full = true;
            self.aims.push(unread(aim.line, String::new(), Trouble::TooMany));
            return;
        }
        self.aims.push(aim);
    }

    /// Reads a script, or what stands within one.
    fn script(&mut self, text: &str, first_line: usize, shell: &mut Shell, remote: Option<&Remote>, depth: usize) {
        if depth > DEEPEST {
            let word = Word { raw: text.chars().take(200).collect(), parts: Vec::new() };
            return self.trouble(first_line, paste::shown([&word].into_iter()), Trouble::TooMany);
        }
        let mut frames: Vec<Frame> = Vec::new();
        let mut words: Vec<(usize, Word)> = Vec::new();
        let mut redirects: Vec<Word> = Vec::new();
        let mut input: Option<(usize, String)> = None;
        let mut before = "\n";
        let mut cut = false;
        let tokens = split(text);
        for Token { line, kind } in tokens.into_iter().chain([Token { line: 0, kind: TokenKind::Op("\n") }]) {
            let line = first_line + line.saturating_sub(1);
            match kind {
                TokenKind::Word(word) if words.len() < MOST_WORDS => words.push((line, word)),
                TokenKind::Word(_) => cut = true,
                TokenKind::Redirect(word) => redirects.push(word),
                TokenKind::HereDocument(body) => input = Some((line, body)),
                TokenKind::Broken(why) => {
                    let at = words.first().map_or(line, |(line, _)| *line);
                    let text = paste::shown(words.iter().map(|(_, word)| word));
                    self.trouble(at, text, Trouble::Unclosed(why.to_owned()));
                    words.clear();
                }
                TokenKind::Op(op) => {
                    if std::mem::take(&mut cut) {
                        self.trouble(line, String::new(), Trouble::TooMany);
                    }
                    if frames.len() >= MOST_FRAMES {
                        return self.trouble(line, String::new(), Trouble::TooMany);
                    }
                    match op {
                        "(" => {
                            match words.as_slice() {
                                [(_, name)] if is_name(&name.raw.replace('-', "_")) => {
                                    shell.functions.insert(name.raw.clone());
                                    words.clear();
                                }
                                _ => {
                                    reserved(&mut words, &mut frames, shell);
                                    words.clear();
                                }
                            }
                            frames.push(Frame::Subshell(shell.clone()));
                            before = ";";
                            continue;
                        }
                        ")" if matches!(frames.last(), Some(Frame::Case(_))) => {
                            // A pattern of `case … in`.
                            words.clear();
                            before = ";";
                            continue;
                        }
                        _ => {}
                    }
                    reserved(&mut words, &mut frames, shell);
                    if frames.len() >= MOST_FRAMES {
                        return self.trouble(line, String::new(), Trouble::TooMany);
                    }
                    if !words.is_empty() {
                        let apart = before == "|" || op == "|" || op == "&";
                        let perhaps = before == "||";
                        let earlier = (apart || perhaps).then(|| shell.clone());
                        self.command(&words, &redirects, input.take(), shell, remote, depth);
                        match earlier {
                            Some(earlier) if apart => leave(shell, earlier),
                            Some(earlier) => doubt(shell, &[earlier]),
                            None => {}
                        }
                    }
                    words.clear();
                    redirects.clear();
                    if op == ")"
                        && let Some(Frame::Subshell(_)) = frames.last()
                        && let Some(Frame::Subshell(earlier)) = frames.pop()
                    {
                        leave(shell, earlier);
                    }
                    // A line may end after `&&`, `||` and `|`.
                    if !(op == "\n" && ["&&", "||", "|"].contains(&before) && words.is_empty()) {
                        before = op;
                    }
                }
            }
            if self.full {
                return;
            }
        }
    }

    fn command(
        &mut self,
        words: &[(usize, Word)],
        redirects: &[Word],
        input: Option<(usize, String)>,
        shell: &mut Shell,
        remote: Option<&Remote>,
        depth: usize,
    ) {
        let line = words.first().map_or(1, |(line, _)| *line);
        for (line, word) in
            words.iter().map(|(line, word)| (*line, word)).chain(redirects.iter().map(|word| (line, word)))
        {
            for part in &word.parts {
                if let Part::Commands(text) = part {
                    self.script(text, line, &mut shell.clone(), remote, depth + 1);
                }
            }
        }
        let text = paste::shown(words.iter().map(|(_, word)| word));
        let mut rest = words.iter().map(|(_, word)| word).peekable();
        let mut prefix = Vec::new();
        while let Some((name, value)) = rest.peek().and_then(|word| assignment(word, shell)) {
            prefix.push((name, value));
            rest.next();
        }
        let arguments: Vec<Argument> = rest.flat_map(|word| worked_out(word, shell)).collect();
        if arguments.is_empty() {
            for (name, value) in prefix {
                let exported =
                    shell.exports_all || shell.variables.get(&name).is_some_and(|variable| variable.exported);
                set_variable(shell, name, value, exported);
            }
            return;
        }
        let (input_line, input) = input.map_or((line, None), |(line, body)| (line, Some(body)));
        let mut command = Command { line, text, arguments, prefix, input, remote };
        let wrapped = unwrap(&mut command, shell);
        if let Some(clouded) = wrapped {
            let mut inner = shell.clone();
            inner.clouded = Some(clouded);
            return self.dispatch(command, words, input_line, &mut inner, depth);
        }
        self.dispatch(command, words, input_line, shell, depth);
    }

    fn dispatch(
        &mut self,
        mut command: Command,
        words: &[(usize, Word)],
        input_line: usize,
        shell: &mut Shell,
        depth: usize,
    ) {
        let Some(first) = command.arguments.first() else { return };
        let Some(typed) = known(&first.value).map(str::to_owned) else {
            return self.trouble(command.line, command.text, Trouble::Nameless);
        };
        let name = base(&typed);
        let (line, remote) = (command.line, command.remote);
        match name {
            "cd" | "pushd" => {
                let mut words = command.arguments.iter().skip(1).map(|argument| &argument.value);
                let to = words.rfind(|value| known(value).is_none_or(|text| !text.starts_with('-') || text == "-"));
                let to = to.cloned().unwrap_or(Value::Known("~".to_owned()));
                let from = shell.directory.as_ref().map(|(value, _)| value);
                shell.directory = Some((join(from, &to), line));
            }
            "popd" => shell.directory = None,
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let exported = name == "export"
                    || shell.exports_all
                    || command.arguments.iter().any(|argument| {
                        known(&argument.value).is_some_and(|text| text.starts_with('-') && text.contains('x'))
                    });
                for (_, word) in words {
                    if let Some((name, value)) = assignment(word, shell) {
                        set_variable(shell, name, value, exported);
                    } else if let Some(variable) = word.literal().and_then(|name| shell.variables.get_mut(name)) {
                        variable.exported |= exported;
                    }
                }
            }
            "unset" => {
                for name in command.arguments.iter().skip(1).filter_map(|argument| known(&argument.value)) {
                    set_variable(shell, name.to_owned(), Value::Known(String::new()), true);
                }
            }
            "set" => {
                let all = command
                    .arguments
                    .iter()
                    .skip(1)
                    .filter_map(|argument| known(&argument.value))
                    .any(|text| text == "-a" || text == "allexport");
                shell.exports_all |= all;
            }
            "source" | "." => shell.clouded = Some(format!("`{}` on line {line}", command.text)),
            "eval" => {
                let text = spoken(&command.arguments[1..]);
                if words.iter().any(|(_, word)| word.parts.iter().any(|part| matches!(part, Part::Commands(_)))) {
                    shell.clouded = Some(format!("`{}` on line {line}", command.text));
                } else {
                    self.script(&text, line, shell, remote, depth + 1);
                }
            }
            "assume" | "awsume" | "asp" => {
                let profile = command.arguments.get(1).map(|argument| argument.value.clone());
                let profile = profile.unwrap_or_else(|| Value::Unknowable(format!("`{}`", command.text)));
                set_variable(shell, "AWS_PROFILE".to_owned(), profile, true);
            }
            "bash" | "sh" | "zsh" | "dash" => {
                let at = command.arguments.iter().position(|argument| {
                    known(&argument.value)
                        .is_some_and(|text| text.starts_with('-') && !text.starts_with("--") && text.ends_with('c'))
                });
                if let Some(inner) = at.and_then(|at| command.arguments.get(at + 1)) {
                    let inner = inner.text.clone();
                    let mut child = shell.clone();
                    self.script(&inner, line, &mut child, remote, depth + 1);
                } else if let Some(body) = command.input.take() {
                    self.script(&body, input_line, &mut shell.clone(), remote, depth + 1);
                } else if command
                    .arguments
                    .iter()
                    .skip(1)
                    .all(|argument| known(&argument.value).is_some_and(|text| ["--version", "-n"].contains(&text)))
                {
                    // An empty shell does nothing by itself.
                } else {
                    self.trouble(line, command.text, Trouble::Script);
                }
            }
            "ssh" | "mosh" | "autossh" => self.ssh(command, input_line, depth),
            _ => {
                if let Some(tool) = tools::find(name) {
                    if let Some(aim) = name_place(tool, command, shell) {
                        self.add(aim);
                    }
                } else if shell.functions.contains(name) || (remote.is_none() && is_local(name)) {
                    // Its body was read where it stands; or it stays at home.
                } else if remote.is_some() {
                    // The aim of the ssh around it says where this runs.
                } else if typed.contains('/')
                    || SCRIPTS.split_whitespace().any(|script| script == name)
                    || typed.ends_with(".sh")
                {
                    self.trouble(line, command.text, Trouble::Script);
                } else {
                    self.trouble(line, command.text, Trouble::Unfamiliar);
                }
            }
        }
    }

    /// `ssh host command`: the command is read as typed there, and the host counts for it.
    fn ssh(&mut self, command: Command, input_line: usize, depth: usize) {
        const TAKES: &str = "-i -p -l -o -F -J -L -R -D -b -c -E -e -I -m -O -Q -S -W -w -B";
        let mut at = 1;
        while let Some(option) =
            command.arguments.get(at).and_then(|argument| known(&argument.value)).filter(|text| text.starts_with('-'))
        {
            at += if TAKES.split(' ').any(|flag| flag == option) { 2 } else { 1 };
        }
        let host = command
            .arguments
            .get(at)
            .map_or_else(|| Value::Unknowable("nothing".to_owned()), |argument| argument.value.clone());
        let host = host_alone(host);
        let mut inner = spoken(command.arguments.get(at + 1..).unwrap_or(&[]));
        let from_input = inner.trim().is_empty()
            || inner.split_whitespace().all(|word| ["bash", "sh", "-s", "-x", "-e", "sudo", "--"].contains(&word));
        let mut inner_line = command.line;
        if let Some(body) = command.input.clone().filter(|_| from_input) {
            (inner, inner_line) = (body, input_line);
        }
        let remote = Remote { host: host.clone(), line: command.line, text: command.text.clone() };
        let already = self.aims.len();
        self.script(&inner, inner_line, &mut Shell::default(), Some(&remote), depth + 1);
        let within = &self.aims[already.min(self.aims.len())..];
        let looks = LOOKING.split_whitespace().any(|look| inner.split_whitespace().next() == Some(look))
            && !inner.contains([';', '&', '|', '>', '`', '$', '\n']);
        if within.is_empty() || within.iter().any(|aim| aim.trouble.is_some()) {
            let named = vec![super::aim::Named { axis: super::axis::Axis::Host, value: host, by: By::Argument }];
            let effect = if looks { Effect::Reads } else { Effect::Unclear };
            let Command { line, text, .. } = command;
            self.add(Aim {
                line,
                text,
                tool: "ssh".to_owned(),
                effect,
                named,
                leaves: Vec::new(),
                clouded: None,
                trouble: None,
            });
        }
    }
}

/// A command whose place cannot be told.
fn unread(line: usize, text: String, trouble: Trouble) -> Aim {
    let tool = text.split_whitespace().next().unwrap_or("").to_owned();
    let (named, leaves) = (Vec::new(), Vec::new());
    Aim { line, text, tool, effect: Effect::Unclear, named, leaves, clouded: None, trouble: Some(trouble) }
}

/// Programs that only look, on whatever machine.
const LOOKING: &str = "uptime cat ls tail head df free ps top date hostname whoami id uname w last du grep wc stat env printenv journalctl echo";

fn spoken(arguments: &[Argument]) -> String {
    arguments.iter().map(|argument| argument.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn is_local(name: &str) -> bool {
    LOCAL.split_whitespace().any(|local| local == name)
}

/// Whether a line that begins with this word is a command and not prose.
fn is_command(word: &str) -> bool {
    let name = base(word);
    tools::find(name).is_some()
        || WRAPPERS.iter().any(|wrapper| wrapper.name == name)
        || ["cd", "export", "source", "eval", "unset", "set", "pushd", "assume", "if", "for", "while"].contains(&name)
        || is_local(name)
        || SCRIPTS.split_whitespace().any(|script| script == name)
        || word.starts_with("./")
}
