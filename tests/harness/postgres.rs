//! A throw-away PostgreSQL: one cluster for the test program, one database for each story.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// A database of its own, dropped with the cluster.
pub struct Database {
    pub url: String,
}

/// A running server, which ends with this process.
pub struct Cluster {
    pub port: u16,
    folder: PathBuf,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();
static MADE: AtomicU32 = AtomicU32::new(0);

impl Database {
    pub fn new() -> Database {
        Database::in_cluster(CLUSTER.get_or_init(|| start("", None)))
    }

    fn in_cluster(cluster: &Cluster) -> Database {
        let name = format!("story_{}", MADE.fetch_add(1, Ordering::Relaxed));
        let socket = cluster.folder.display().to_string();
        run(Command::new(program("createdb")).args([
            "-h",
            &socket,
            "-p",
            &cluster.port.to_string(),
            "-U",
            "tidegate",
            &name,
        ]));
        Database { url: format!("postgres://tidegate@127.0.0.1:{}/{name}", cluster.port) }
    }
}

/// A server, one that follows it, and a database of theirs: the addresses on both. Prepared transactions are allowed.
pub fn followed() -> (Database, Database) {
    let primary = start("-primary", None);
    let database = Database::in_cluster(&primary);
    let replica = start("-replica", Some(&primary));
    let followed = database.url.replace(&format!(":{}/", primary.port), &format!(":{}/", replica.port));
    (database, Database { url: followed })
}

/// Starts a cluster that ends with this process: a shell beside it waits for that and stops the server.
fn start(which: &str, follows: Option<&Cluster>) -> Cluster {
    let folder = std::env::temp_dir().join(format!("tidegate-postgres-{}{which}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
    if root {
        // The server refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(&folder));
    }
    let as_server = |program: PathBuf| {
        if root {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        }
    };
    let data = folder.join("data");
    match follows {
        None => run(as_server(program("initdb"))
            .args(["-A", "trust", "--no-sync", "-U", "tidegate", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data)),
        Some(primary) => run(as_server(program("pg_basebackup"))
            .args(["-U", "tidegate", "-R", "--no-sync", "-c", "fast", "-h"])
            .arg(&primary.folder)
            .args(["-p", &primary.port.to_string(), "-D"])
            .arg(&data)),
    }
    let options = format!(
        "-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=400 -c shared_buffers=64MB \
         -c max_prepared_transactions=5",
        folder.display()
    );
    run(as_server(program("pg_ctl"))
        .args(["-w", "-s", "-o", &options, "-l"])
        .arg(folder.join("log"))
        .arg("-D")
        .arg(&data)
        .arg("start"));
    let watcher = format!(
        "while kill -0 {pid} 2>/dev/null; do sleep 1; done; {stop} -D '{data}' -m immediate stop; rm -rf '{folder}'",
        pid = std::process::id(),
        stop = if root {
            format!("runuser -u postgres -- '{}'", program("pg_ctl").display())
        } else {
            program("pg_ctl").display().to_string()
        },
        data = data.display(),
        folder = folder.display()
    );
    // It outlives this process on purpose, so nobody waits for it.
    #[allow(clippy::zombie_processes)]
    Command::new("setsid")
        .args(["sh", "-c", &watcher])
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    Cluster { port, folder }
}

/// A server program: on the PATH, or where Debian keeps it.
fn program(name: &str) -> PathBuf {
    let mut folders: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|e| e.path().join("bin"))
        .collect();
    folders.sort();
    let found = folders.into_iter().rev().map(|folder| folder.join(name)).find(|file| file.exists());
    let path = || {
        std::env::var_os("PATH")
            .and_then(|path| std::env::split_paths(&path).map(|p| p.join(name)).find(|f| f.exists()))
    };
    found
        .or_else(path)
        .unwrap_or_else(|| panic!("{name} is missing: install the package `postgresql`, or run tests/run, which does"))
}

fn run(command: &mut Command) {
    let done = command.output().unwrap_or_else(|e| panic!("{command:?}: {e}"));
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
}
