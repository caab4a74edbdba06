//! A throw-away MariaDB, reached over loopback.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server with an empty database `shop`, and a user `reader` who may read it with the password `open`.
pub struct Mariadb {
    pub port: u16,
    socket: PathBuf,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Mariadb {
    pub fn start() -> Mariadb {
        let folder = tempfile::tempdir().unwrap();
        let (data, socket) = (folder.path().join("data"), folder.path().join("socket"));
        // As root the server wants to be told that this is meant.
        let root = Command::new("id").arg("-u").output().unwrap().stdout.starts_with(b"0\n");
        let user = if root { "--user=root" } else { "--skip-networking=0" };
        let made = Command::new(program("mariadb-install-db"))
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", user])
            .arg(format!("--datadir={}", data.display()))
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program("mariadbd"))
            .args([
                "--no-defaults",
                "--bind-address=127.0.0.1",
                "--skip-log-bin",
                "--innodb-flush-log-at-trx-commit=0",
                user,
            ])
            .arg(format!("--datadir={}", data.display()))
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut server = Mariadb { port, socket, child, _folder: folder };
        let began = Instant::now();
        while !server.client("select 1").status.success() {
            assert!(server.child.try_wait().unwrap().is_none(), "mariadbd ended at once");
            assert!(began.elapsed() < Duration::from_secs(60), "mariadbd was not ready after a minute");
            std::thread::sleep(Duration::from_millis(50));
        }
        server.run("create database shop; create user reader@'127.0.0.1' identified by 'open'; grant select on shop.* to reader@'127.0.0.1'");
        server
    }

    /// Runs SQL as root.
    pub fn run(&self, sql: &str) {
        let done = self.client(sql);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    fn client(&self, sql: &str) -> std::process::Output {
        let socket = format!("--socket={}", self.socket.display());
        Command::new(program("mariadb")).args(["--no-defaults", "-uroot", &socket, "-e", sql]).output().unwrap()
    }
}

impl Drop for Mariadb {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/bin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|file| file.is_file());
    found.unwrap_or_else(|| {
        panic!("{name} is missing: install the package `mariadb-server`, or run tests/run, which does")
    })
}
