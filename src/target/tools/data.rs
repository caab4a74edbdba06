//! Databases, and machines reached over the network.

use super::{Args, Axis, Axis::*, Effect, Look, PLAIN, Tool, Value, known};

/// Words that make SQL more than a look.
const WRITING: &[&str] = &[
    "insert", "update", "delete", "drop", "alter", "truncate", "create", "grant", "revoke", "into", "call", "do",
    "vacuum", "reindex", "copy", "merge", "replace", "set", "refresh", "cluster", "lock", "begin", "commit", "rename",
    "load", "analyze", "import", "kill", "flush", "optimize", "exec", "execute",
];

/// What programs that speak to a database share.
const DATABASE: Tool = Tool {
    place_word: "database host",
    place: &[DatabaseHost],
    within: &[Database],
    dry: &[],
    look: Some(database),
    ..PLAIN
};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        names: &[
            "psql",
            "pg_restore",
            "createdb",
            "dropdb",
            "pgbench",
            "vacuumdb",
            "reindexdb",
            "pgcli",
            "createuser",
            "dropuser",
        ],
        flags: &[("--host", DatabaseHost), ("-h", DatabaseHost), ("--dbname", Database), ("-d", Database)],
        takes: "-U --username -p --port -c --command -f --file -v --set --variable -P --pset -o --output -L --log-file -F -R -T -j \
                --jobs -n --schema -t --table -e",
        vars: &[("PGHOST", DatabaseHost), ("PGSERVICE", DatabaseHost), ("PGDATABASE", Database)],
        ..DATABASE
    },
    Tool {
        names: &["pg_dump", "pg_dumpall", "pg_isready", "mysqldump", "mongodump", "mongoexport"],
        flags: &[
            ("--host", DatabaseHost),
            ("-h", DatabaseHost),
            ("--dbname", Database),
            ("-d", Database),
            ("--db", Database),
            ("--uri", DatabaseHost),
        ],
        takes: "-U --username -u --user -p --port -P -f --file -F --format -n --schema -t --table -j --jobs -o --out -T -N --collection",
        vars: &[("PGHOST", DatabaseHost), ("PGSERVICE", DatabaseHost), ("PGDATABASE", Database)],
        otherwise: Effect::Reads,
        ..DATABASE
    },
    Tool {
        names: &["mysql", "mariadb", "mysqladmin", "mysqlimport", "mycli", "pt-online-schema-change", "gh-ost"],
        flags: &[
            ("--host", DatabaseHost),
            ("-h", DatabaseHost),
            ("--login-path", DatabaseHost),
            ("--defaults-group-suffix", DatabaseHost),
            ("--database", Database),
            ("-D", Database),
        ],
        takes: "-u --user -P --port -e --execute -S --socket --defaults-file --defaults-extra-file --table --alter",
        vars: &[("MYSQL_HOST", DatabaseHost)],
        ..DATABASE
    },
    Tool {
        names: &["redis-cli", "valkey-cli"],
        within: &[],
        flags: &[("-h", DatabaseHost), ("-u", DatabaseHost)],
        takes: "-p -a --user --pass -n -s --cacert --cert --key -r -i -x",
        vars: &[],
        changes: "set, del, flushall, flushdb, FLUSHALL, FLUSHDB, SET, DEL, CONFIG, config, unlink, UNLINK, expire, eval",
        reads: "get, GET, ping, PING, info, INFO, keys, KEYS, scan, SCAN, ttl, TTL, config get, CONFIG GET, dbsize, DBSIZE, monitor",
        depth: 1,
        look: None,
        ..DATABASE
    },
    Tool {
        names: &["mongosh", "mongo", "mongorestore", "mongoimport"],
        flags: &[
            ("--host", DatabaseHost),
            ("-h", DatabaseHost),
            ("--uri", DatabaseHost),
            ("--db", Database),
            ("-d", Database),
        ],
        takes: "-u --username -p --password --port --eval --authenticationDatabase --collection -c --file -f",
        ..DATABASE
    },
    Tool {
        names: &[
            "sqlx",
            "diesel",
            "flyway",
            "liquibase",
            "goose",
            "migrate",
            "dbmate",
            "atlas",
            "prisma",
            "sqitch",
            "alembic",
            "knex",
            "typeorm",
        ],
        place: &[DatabaseHost, Stage],
        flags: &[
            ("--database-url", DatabaseHost),
            ("-url", DatabaseHost),
            ("--url", DatabaseHost),
            ("-u", DatabaseHost),
            ("-database", DatabaseHost),
            ("--env", Stage),
            ("-e", Stage),
            ("-environment", Stage),
            ("-environments", Stage),
        ],
        takes: "-path --source -source -dir --dir -d --schema -s --migrations-dir --migration-dir -user -password -x -c --config -configFiles \
                --target-version --changelog-file -n --name",
        vars: &[
            ("DATABASE_URL", DatabaseHost),
            ("GOOSE_DBSTRING", DatabaseHost),
            ("FLYWAY_URL", DatabaseHost),
            ("LIQUIBASE_COMMAND_URL", DatabaseHost),
            ("NODE_ENV", Stage),
        ],
        changes: "migrate run, migrate revert, migration run, migration revert, migration redo, migrate deploy, migrate reset, migrate, up, down, \
                  upgrade, downgrade, update, rollback, clean, repair, baseline, undo, reset, redo, drop, database drop, database reset, \
                  database create, deploy, revert, rebase, schema apply, migrate apply, up-by-one, up-to, down-to, force, goto, stamp, db push, \
                  migrate:latest, migrate:rollback, migrate:up, migrate:down, migration:run, migration:revert, db execute, migrate resolve",
        reads: "migrate info, info, status, migration list, history, current, heads, show, validate, updateSQL, update-sql, migrate status, \
                schema inspect, schema diff, migrate:status, migrate:list, verify, log, version, migration pending, check, migration:show",
        local: "migrate add, prepare, migration generate, create, revision, generate, new, dump, migrate diff, migrate lint, format, init, add, plan",
        ..DATABASE
    },
    Tool {
        names: &["rails", "rake", "rspec", "sidekiqctl", "mix", "artisan"],
        place_word: "environment",
        place: &[Stage, DatabaseHost],
        flags: &[("-e", Stage), ("--environment", Stage), ("--env", Stage)],
        vars: &[
            ("RAILS_ENV", Stage),
            ("RACK_ENV", Stage),
            ("MIX_ENV", Stage),
            ("APP_ENV", Stage),
            ("DATABASE_URL", DatabaseHost),
        ],
        changes: "db:*, ecto.*, migrate, migrate:*, runner, console, c, dbconsole, queue:*, cache:*",
        reads: "db:migrate:status, db:version, routes, about, stats, ecto.migrations, notes, migrate:status",
        local: "test, server, s, generate, g, assets:*, spec, compile, deps.get, new, format",
        soft: true,
        ..PLAIN
    },
    Tool {
        names: &["ssh", "mosh", "autossh"],
        place_word: "host",
        place: &[Host],
        takes: "-i -p -l -o -F -J -L -R -D -b -c -E -e -I -m -O -Q -S -W -w -B",
        dry: &[],
        ..PLAIN
    },
    Tool {
        names: &["scp", "rsync", "sftp", "rclone"],
        place_word: "host",
        place: &[Host],
        takes: "-i -P -o -F -J -l -c -S -e --rsh --exclude --include --files-from --exclude-from --bwlimit --rsync-path --filter -f",
        dry: &["--dry-run", "-n"],
        look: Some(copied),
        ..PLAIN
    },
    Tool {
        names: &["systemctl", "service", "supervisorctl", "nginx", "pm2", "journalctl", "loginctl", "machinectl"],
        place_word: "host",
        place: &[Host],
        flags: &[("--host", Host), ("-H", Host)],
        takes: "-M --machine -n --lines -u --unit -t --type -p --property -o --output -c --since -s",
        changes: "start, stop, restart, reload, enable, disable, mask, unmask, kill, daemon-reload, set-property, try-restart, edit, isolate, \
                  reboot, poweroff, halt, reload-or-restart, update, reread, delete, scale, * restart, * start, * stop, * reload",
        reads: "status, show, is-active, is-enabled, is-failed, list-units, list-timers, cat, list-unit-files, list, ls, logs, tail, * status, \
                list-dependencies, list-sockets",
        look: Some(journal),
        ..PLAIN
    },
    Tool {
        names: &["curl", "http", "https", "xh", "wget", "grpcurl"],
        place_word: "address",
        place: &[Url],
        flags: &[("--url", Url)],
        takes: "-X --request -H --header -d --data --data-raw --data-binary --data-urlencode --json -F --form -u --user -o --output -A \
                --user-agent -w --write-out -m --max-time --connect-timeout --retry --retry-delay -T --upload-file -K --config -b --cookie \
                -c --cookie-jar -e --referer -x --proxy --cacert --cert --key --resolve -proto -import-path --method --post-data -O",
        dry: &[],
        soft: true,
        look: Some(called),
        ..PLAIN
    },
];

/// Splits an address of a database into host and database: URLs, `host=… dbname=…`, `user:password@tcp(host:3306)/name`.
pub(in crate::target) fn expand_address(address: &str) -> Vec<(Axis, Value)> {
    let mut found = Vec::new();
    let mut push = |axis, text: &str| {
        if !text.is_empty() {
            found.push((axis, Value::Known(text.to_owned())));
        }
    };
    let address = address.strip_prefix("jdbc:").unwrap_or(address);
    if let Some((_, rest)) = address.split_once("://") {
        // A password may hold a slash, so that what stands before the last `@` is never taken for a host.
        let rest = rest.split('?').next().unwrap_or("");
        let rest = rest.rsplit('@').next().unwrap_or("");
        let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
        for host in hosts.split(',').take(16) {
            push(DatabaseHost, without_port(host));
        }
        push(Database, path.split(['?', ';']).next().unwrap_or(""));
    } else if let Some((_, rest)) = address.split_once("tcp(") {
        let (host, rest) = rest.split_once(')').unwrap_or((rest, ""));
        push(DatabaseHost, without_port(host));
        push(Database, rest.trim_start_matches('/').split('?').next().unwrap_or(""));
    } else if address.contains('=') {
        for pair in address.split_whitespace().take(64) {
            match pair.split_once('=') {
                Some(("host" | "hostaddr" | "service", value)) => {
                    value.split(',').take(16).for_each(|host| push(DatabaseHost, host));
                }
                Some(("dbname", value)) => push(Database, value),
                _ => {}
            }
        }
    } else {
        push(DatabaseHost, without_port(address));
    }
    found
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

fn looks_like_address(text: &str) -> bool {
    text.contains("://")
        || text.contains("tcp(")
        || text.split_whitespace().any(|pair| pair.starts_with("host=") || pair.starts_with("service="))
}

/// Addresses and names of databases among the operands, and whether the SQL only looks.
fn database(args: &Args, look: &mut Look) {
    for operand in args.operands.iter().take(16) {
        match operand {
            Value::Known(text) if looks_like_address(text) => look.named.push((DatabaseHost, operand.clone())),
            // `psql $DATABASE_URL`: host and database are in there, unseen.
            Value::Unknowable(_) => look.named.push((DatabaseHost, operand.clone())),
            Value::Known(_) => {}
        }
    }
    let plain = args.operands.first().and_then(known).filter(|text| !looks_like_address(text) && !text.contains(':'));
    if let Some(name) = plain
        && args.option(&["-d", "--dbname", "-D", "--database"]).is_none()
        && args.words.len() < 64
        && !name.contains('.')
        && MENTIONS_DATABASE.iter().all(|verb| *verb != name)
    {
        look.named.push((Database, Value::Known(name.to_owned())));
    }
    if args.has(&["-l", "--list", "-V", "--version"]) {
        look.effect = Some(Effect::Reads);
        return;
    }
    let typed = args
        .options
        .iter()
        .filter(|(name, _)| ["-c", "--command", "-e", "--execute", "--eval"].contains(&name.as_str()));
    let mut texts: Vec<Option<&str>> = typed.map(|(_, value)| value.as_ref().and_then(known)).collect();
    if let Some(input) = &args.input {
        texts.push(Some(input));
    }
    if !texts.is_empty() && !args.has(&["-f", "--file"]) && texts.iter().all(|text| text.is_some_and(only_looks)) {
        look.effect = Some(Effect::Reads);
    }
}

/// First words of migration tools, which are no names of databases.
const MENTIONS_DATABASE: &[&str] = &[
    "migrate",
    "migration",
    "database",
    "up",
    "down",
    "info",
    "status",
    "upgrade",
    "downgrade",
    "update",
    "rollback",
    "clean",
    "repair",
    "baseline",
    "validate",
    "deploy",
    "revert",
    "schema",
    "db",
    "postgres",
    "mysql",
    "sqlite3",
    "history",
    "current",
    "reset",
    "redo",
];

/// Whether these statements only look. Functions can do anything, so a call other than a count leaves it open.
fn only_looks(sql: &str) -> bool {
    let sql = sql.trim().to_ascii_lowercase();
    let first = sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '\\' && c != '_').next().unwrap_or("");
    let begins = ["select", "show", "explain", "table", "values", "describe", "desc"].contains(&first)
        || first.starts_with("\\d")
        || first == "\\l"
        || first == "\\conninfo";
    let words = || sql.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let calls = sql.match_indices('(').any(|(at, _)| {
        let name = sql[..at].trim_end().rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or("");
        ![
            "", "count", "max", "min", "sum", "avg", "in", "and", "or", "not", "where", "now", "exists", "from", "as",
            "coalesce", "version",
        ]
        .contains(&name)
    });
    begins && !calls && !words().any(|word| WRITING.contains(&word))
}

/// `scp file host:path`: the part with a colon names the host.
fn copied(args: &Args, look: &mut Look) {
    let remote = |text: &str| -> Option<String> {
        let text = text.strip_prefix("rsync://").or_else(|| text.strip_prefix("sftp://")).unwrap_or(text);
        let (host, _) = text.split_once(':')?;
        (!host.contains('/') && !host.is_empty()).then(|| host.rsplit('@').next().unwrap_or(host).to_owned())
    };
    let mut last = None;
    for operand in args.operands.iter().take(64) {
        last = match operand {
            Value::Known(text) => remote(text).map(Value::Known),
            Value::Unknowable(raw) => raw.contains(':').then(|| operand.clone()),
        };
        look.named.extend(last.clone().map(|host| (Host, host)));
    }
    look.effect = Some(match last {
        _ if look.named.is_empty() => Effect::Local,
        Some(_) => Effect::Changes,
        None => Effect::Reads,
    });
}

fn journal(args: &Args, look: &mut Look) {
    if args.words.iter().filter_map(known).any(|word| word == "-t") && args.operands.is_empty() {
        look.effect = Some(Effect::Reads);
    }
}

/// The host of the address that is called, and whether the method only looks.
fn called(args: &Args, look: &mut Look) {
    for operand in args.operands.iter().take(16) {
        match operand {
            Value::Unknowable(_) => look.named.push((Url, operand.clone())),
            Value::Known(text) => {
                let rest = text.split_once("://").map_or(text.as_str(), |(_, rest)| rest);
                let authority = rest.split(['/', '?', '#']).next().unwrap_or("");
                let host = without_port(authority.rsplit('@').next().unwrap_or(""));
                if host.contains('.') || text.contains("://") || host == "localhost" {
                    look.named.push((Url, Value::Known(host.to_owned())));
                }
            }
        }
    }
    let method =
        args.option(&["-X", "--request", "--method"]).map(|method| known(method).unwrap_or("?").to_ascii_uppercase());
    let sends = args.options.iter().any(|(name, _)| {
        ["-d", "-F", "-T", "--json", "--form", "--upload-file", "--post-data"].contains(&name.as_str())
            || name.starts_with("--data")
    });
    let typed = args
        .operands
        .iter()
        .filter_map(known)
        .any(|word| ["POST", "PUT", "PATCH", "DELETE"].contains(&word) || word.contains(":="));
    let looks = match method.as_deref() {
        Some(method) => ["GET", "HEAD", "OPTIONS"].contains(&method),
        None => !sends && !typed,
    };
    look.effect = Some(if looks { Effect::Reads } else { Effect::Changes });
}
