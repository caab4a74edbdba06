//! Reads settings: the embedded defaults, the file over them, and errors that point at the line, the key and the nearest
//! known name.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use toml::Table;
use toml::de::{DeTable, DeValue};

use super::Settings;
use crate::source::SourceKind;

/// The defaults, as documented.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// The keys of every source, whatever its kind.
const OF_EVERY_SOURCE: &[&str] = &["kind", "name", "answers", "timeout", "keep", "services", "environments", "webhook"];

impl Settings {
    /// Reads a settings file over the defaults; paths in it are relative to its folder.
    pub fn load(file: &Path) -> anyhow::Result<Settings> {
        let text = std::fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
        let base = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Settings::read(&text, &file.display().to_string(), base)
    }

    /// Reads settings from text; `name` is what errors call it.
    pub fn read(text: &str, name: &str, base: PathBuf) -> anyhow::Result<Settings> {
        let own: Table = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(0, |span| line_of(text, span.start));
            anyhow::anyhow!("{name}, line {line}: {}", error.message())
        })?;
        check_sources(&own, text, name)?;
        let mut all: Table = toml::from_str(DEFAULTS).context("the embedded defaults do not read")?;
        lay_over(&mut all, own);
        let mut settings = match serde_path_to_error::deserialize::<_, Settings>(toml::Value::Table(all)) {
            Ok(settings) => settings,
            Err(error) => bail!("{}", explain(text, name, &error.path().to_string(), error.inner().message())),
        };
        settings.base = base;
        settings.check().map_err(|wrong| {
            let line = find(text, &wrong.path).map(|line| format!(", line {line}")).unwrap_or_default();
            anyhow::anyhow!("{name}{line}: {}", wrong.says)
        })?;
        Ok(settings)
    }

    /// A path of the settings, relative to where they were read from.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// Names that must exist elsewhere in the settings.
    fn check(&self) -> Result<(), Wrong> {
        let sources: Vec<&str> = self.source.iter().map(|s| s.name.as_str()).collect();
        let services: Vec<&str> = self.service.keys().map(|s| s.as_str()).collect();
        let environments: Vec<&str> = self.environment.keys().map(|s| s.as_str()).collect();
        let people: Vec<&str> = self.people.keys().map(|s| s.as_str()).collect();
        for (i, name) in sources.iter().enumerate() {
            if sources[..i].contains(name) {
                return Err(Wrong {
                    path: format!("source[{i}].name"),
                    says: format!("two sources are called `{name}`"),
                });
            }
        }
        let categories: Vec<&str> = self.policy.category.keys().map(String::as_str).collect();
        for (name, service) in &self.service {
            let at = |key: &str| format!("service.{name}.{key}");
            if let Some(repository) = &service.repository {
                known("source", repository.as_str(), &sources, at("repository"))?;
            }
            for needed in &service.depends_on {
                known("service", needed.as_str(), &services, at("depends-on"))?;
            }
            for owner in &service.owners {
                known("person", owner.as_str(), &people, at("owners"))?;
            }
            if let Some(category) = &service.category {
                known("category", category, &categories, at("category"))?;
            }
        }
        for (name, environment) in &self.environment {
            if let Some(after) = &environment.after {
                known("environment", after.as_str(), &environments, format!("environment.{name}.after"))?;
            }
        }
        for (name, template) in &self.policy.template {
            let at = |key: &str| format!("policy.template.{name}.{key}");
            for category in &template.categories {
                known("category", category, &categories, at("categories"))?;
            }
            for service in &template.services {
                known("service", service.as_str(), &services, at("services"))?;
            }
            if let Some(environment) = &template.environment {
                known("environment", environment.as_str(), &environments, at("environment"))?;
            }
        }
        for (i, source) in self.source.iter().enumerate() {
            for service in &source.services {
                known("service", service.as_str(), &services, format!("source[{i}].services"))?;
            }
            for environment in &source.environments {
                known("environment", environment.as_str(), &environments, format!("source[{i}].environments"))?;
            }
            if let Some(secrets) = &source.webhook {
                let wrong = |says: String| Err(Wrong { path: format!("source[{i}].webhook"), says });
                if crate::webhook::sender(source.kind.word()).is_none() {
                    let senders: Vec<&str> = crate::webhook::ALL.iter().map(|sender| sender.kind).collect();
                    let (kind, senders) = (source.kind.word(), senders.join(", "));
                    return wrong(format!("a source of kind `{kind}` sends no webhooks; these do: {senders}"));
                }
                if !(1..=2).contains(&secrets.list().len()) {
                    return wrong(
                        "`webhook` is one secret, or a list of two while one takes the other's place".to_owned(),
                    );
                }
            }
        }
        for (i, rule) in self.policy.approval.iter().enumerate() {
            if rule.instead && rule.needs.iter().all(|need| need.count == 0) {
                let says = "a rule that stands instead of all others must need somebody".to_owned();
                return Err(Wrong { path: format!("policy.approval[{i}].needs"), says });
            }
        }
        if let Some((path, says)) = super::roles::wrong(self).or_else(|| self.wrong_sign_in()) {
            return Err(Wrong { path, says });
        }
        if let Some((i, says)) = self.ledger.wrong() {
            return Err(Wrong { path: format!("ledger.anchor[{i}]"), says });
        }
        for name in services.iter().chain(&environments).chain(&people) {
            let fit = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
            if name.is_empty() || name.len() > 80 || !name.chars().all(fit) {
                let says = format!(
                    "`{}` is no name: letters, digits, `-`, `_`, `.` and `/`, at most 80",
                    crate::message::tame(name, 40)
                );
                return Err(Wrong { path: String::new(), says });
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Wrong {
    path: String,
    says: String,
}

fn known(what: &str, name: &str, names: &[&str], path: String) -> Result<(), Wrong> {
    if names.contains(&name) {
        return Ok(());
    }
    Err(Wrong { path, says: format!("there is no {what} `{}`{}", crate::message::tame(name, 60), near(name, names)) })
}

fn near(typed: &str, names: &[&str]) -> String {
    match crate::command::arguments::nearest(typed, names.iter().copied()) {
        Some(near) => format!("; did you mean `{near}`?"),
        None => String::new(),
    }
}

/// Tables are joined key by key; everything else is replaced whole.
fn lay_over(under: &mut Table, over: Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => lay_over(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

/// Serde cannot say which key of a `[[source]]` is unknown, because its keys depend on its kind.
fn check_sources(own: &Table, text: &str, name: &str) -> anyhow::Result<()> {
    let Some(toml::Value::Array(sources)) = own.get("source") else { return Ok(()) };
    for (i, source) in sources.iter().enumerate() {
        let Some(table) = source.as_table() else { continue };
        let line = |key: &str| {
            find(text, &format!("source[{i}].{key}")).or_else(|| find(text, &format!("source[{i}]"))).unwrap_or(0)
        };
        let kinds = SourceKind::WORDS;
        let Some(kind) = table.get("kind").and_then(toml::Value::as_str) else {
            bail!("{name}, line {}: the source has no `kind`; it is one of {}", line("kind"), kinds.join(", "));
        };
        let Some(keys) = SourceKind::keys(kind) else {
            bail!(
                "{name}, line {}: there is no kind of source `{}`{}. There are: {}.",
                line("kind"),
                crate::message::tame(kind, 40),
                near(kind, kinds),
                kinds.join(", ")
            );
        };
        for key in table.keys() {
            if !OF_EVERY_SOURCE.contains(&key.as_str()) && !keys.contains(&key.as_str()) {
                let all: Vec<&str> = OF_EVERY_SOURCE.iter().chain(keys.iter()).copied().collect();
                bail!(
                    "{name}, line {}: a source of kind `{kind}` has no key `{}`{}",
                    line(key),
                    crate::message::tame(key, 40),
                    near(key, &all)
                );
            }
        }
    }
    Ok(())
}

/// Serde's error as one sentence with the line, the key and the nearest known name.
fn explain(text: &str, name: &str, path: &str, message: &str) -> String {
    let message = message.trim();
    let unknown = message.strip_prefix("unknown field `").and_then(|rest| rest.split_once('`'));
    match unknown {
        Some((field, rest)) => {
            // The path of serde_path_to_error ends with the unknown key or with its table, depending on where it stood.
            let full = if path.ends_with(field) { path.to_owned() } else { format!("{path}.{field}") };
            let line =
                find(text, full.trim_start_matches('.')).map(|line| format!(", line {line}")).unwrap_or_default();
            let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
            let parent = full.rsplit_once('.').map_or("the top level".to_owned(), |(parent, _)| format!("`{parent}`"));
            let known = if names.is_empty() { String::new() } else { format!(" It has: {}.", names.join(", ")) };
            let hint = near(field, &names);
            let end = if hint.is_empty() { "." } else { "" };
            format!("{name}{line}: {parent} has no key `{field}`{hint}{end}{known}")
        }
        None => {
            let line = find(text, path).map(|line| format!(", line {line}")).unwrap_or_default();
            if let Some(zone) =
                message.strip_prefix("failed to parse timezone: '").and_then(|rest| rest.strip_suffix('\''))
            {
                let zones: Vec<&str> = chrono_tz::TZ_VARIANTS.iter().map(|zone| zone.name()).collect();
                return format!(
                    "{name}{line}: `{path}`: there is no time zone `{}`{}",
                    crate::message::tame(zone, 60),
                    near(zone, &zones)
                );
            }
            format!("{name}{line}: `{path}`: {message}")
        }
    }
}

/// The line of a path such as `policy.bands.high` or `source[2].path`; of its nearest parent where it is not there.
fn find(text: &str, path: &str) -> Option<usize> {
    let document = DeTable::parse(text).ok()?;
    let mut table = document.get_ref();
    let mut found: Option<usize> = None;
    let mut steps = path.split('.').filter(|step| !step.is_empty()).peekable();
    while let Some(step) = steps.next() {
        let (mut key, index) = match step.split_once('[') {
            Some((key, index)) => (key.to_owned(), index.trim_end_matches(']').parse::<usize>().ok()),
            None => (step.to_owned(), None),
        };
        // Keys may hold dots: join steps until one is found.
        while !table.iter().any(|(k, _)| k.get_ref().as_ref() == key) {
            match steps.next() {
                Some(more) => key = format!("{key}.{more}"),
                None => return found.map(|at| line_of(text, at)),
            }
        }
        let (name, value) = table.iter().find(|(k, _)| k.get_ref().as_ref() == key)?;
        found = Some(name.span().start);
        let value = match (value.get_ref(), index) {
            (DeValue::Array(items), Some(index)) => {
                let item = items.get(index)?;
                found = Some(item.span().start);
                item.get_ref()
            }
            (value, _) => value,
        };
        match value {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    found.map(|at| line_of(text, at))
}

fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).map_or(0, |before| before.matches('\n').count()) + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(text: &str) -> String {
        format!("{:#}", Settings::read(text, "tidegate.toml", PathBuf::new()).unwrap_err())
    }

    #[test]
    fn the_defaults_read() {
        Settings::read("", "tidegate.toml", PathBuf::new()).unwrap();
    }

    #[test]
    fn a_typing_error_is_shown_with_its_line_and_what_is_near() {
        let says = wrong("[team]\nname = \"x\"\nzoen = \"UTC\"\n");
        assert!(says.contains("line 3") && says.contains("`zoen`") && says.contains("did you mean `zone`?"), "{says}");
        let says = wrong("[policy]\nhorizon = \"soon\"\n");
        assert!(says.contains("line 2") && says.contains("length of time"), "{says}");
        let says = wrong("[[source]]\nkind = \"git\"\nname = \"code\"\npaht = \"x\"\n");
        assert!(says.contains("line 4") && says.contains("did you mean `path`?"), "{says}");
        let says = wrong("[[source]]\nkind = \"gti\"\nname = \"code\"\n");
        assert!(says.contains("line 2") && says.contains("did you mean `git`?"), "{says}");
        let says = wrong("[[source]]\nkind = \"ics\"\nname = \"c\"\nfrom = \"c.ics\"\nwebhook = { env = \"X\" }\n");
        assert!(says.contains("line 5") && says.contains("kind `ics` sends no webhooks"), "{says}");
        let says = wrong("[team\n");
        assert!(says.contains("line 1"), "{says}");
        let says = wrong("[team]\nzone = \"Mars/Olympus\"\n");
        assert!(says.contains("line 2"), "{says}");
    }

    #[test]
    fn a_name_that_leads_nowhere_is_shown() {
        let says = wrong("[service.checkout]\ndepends-on = [\"ledgr\"]\n[service.ledger]\n");
        assert!(says.contains("line 2") && says.contains("did you mean `ledger`?"), "{says}");
    }

    #[test]
    fn a_sign_in_that_cannot_work_is_shown() {
        let asks = "[policy.category.docs]\nsecond-step = \"sign-in\"\n";
        let says = wrong(asks);
        assert!(says.contains("line 2") && says.contains("needs the section `[sign-in]`"), "{says}");
        let with = |issuer: &str| format!("{asks}[sign-in]\nissuer = \"{issuer}\"\nclient-id = \"x\"\n");
        let says = wrong(&with("https://login.example"));
        assert!(says.contains("line 4") && says.contains("needs `[web] url`"), "{says}");
        let at_home = "[web]\nurl = \"https://tidegate.example\"\n";
        for issuer in ["http://login.example", "login.example", "https://login.example/?a=b"] {
            let says = wrong(&format!("{}{at_home}", with(issuer)));
            assert!(says.contains("line 4") && says.contains("the issuer"), "{says}");
        }
        for issuer in ["https://login.example", "https://login.example/realms/shop", "http://127.0.0.1:8080"] {
            Settings::read(&format!("{}{at_home}", with(issuer)), "tidegate.toml", PathBuf::new()).unwrap();
        }
        let says = wrong("[policy.category.docs]\nsecond-step = \"signin\"\n");
        assert!(says.contains("line 2"), "{says}");
    }

    #[test]
    fn a_rule_that_replaces_all_others_needs_somebody() {
        let says = wrong("[[policy.approval]]\nhotfix = true\ninstead = true\nneeds = []\n");
        assert!(says.contains("must need somebody"), "{says}");
    }
}
