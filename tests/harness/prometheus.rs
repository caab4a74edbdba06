//! A throw-away Prometheus, and an Alertmanager beside it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server; it ends when it is dropped.
#[derive(Debug)]
pub struct Running {
    pub url: String,
    child: Child,
    pub folder: tempfile::TempDir,
}

/// A running Prometheus.
pub type Prometheus = Running;

/// One series: its name, its labels (`service="checkout"`) and its samples (seconds, value).
pub struct Told<'a> {
    pub name: &'a str,
    pub labels: &'a str,
    pub samples: Vec<(i64, f64)>,
}

impl Running {
    /// A Prometheus that has what the story tells it and measures nothing.
    pub fn remembering(told: &[Told<'_>]) -> Prometheus {
        let tool = program("promtool");
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let mut text = String::new();
        let mut last = "";
        for series in told {
            if series.name != last {
                writeln!(text, "# TYPE {} gauge", series.name).unwrap();
                last = series.name;
            }
            for (at, value) in &series.samples {
                writeln!(text, "{}{{{}}} {value} {at}", series.name, series.labels).unwrap();
            }
        }
        text.push_str("# EOF\n");
        let file = folder.path().join("told.txt");
        std::fs::write(&file, text).unwrap();
        let made = Command::new(tool)
            .args(["tsdb", "create-blocks-from", "--max-block-duration=744h", "openmetrics"])
            .args([&file, &data])
            .output()
            .unwrap();
        assert!(made.status.success(), "promtool: {}", String::from_utf8_lossy(&made.stderr));
        std::fs::write(folder.path().join("prometheus.yml"), "global: {scrape_interval: 1m}\n").unwrap();
        Running::prometheus(folder)
    }

    /// A Prometheus that evaluates rules and asks targets every second, as the rest of its settings says.
    pub fn evaluating(rules: &str, settings: &str) -> Prometheus {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let begins = "global: {scrape_interval: 1s, evaluation_interval: 1s}\nrule_files: [rules.yml]\n";
        std::fs::write(folder.path().join("prometheus.yml"), format!("{begins}{settings}")).unwrap();
        Running::prometheus(folder)
    }

    fn prometheus(folder: tempfile::TempDir) -> Prometheus {
        let at = |name: &str| folder.path().join(name).display().to_string();
        let args = [
            format!("--config.file={}", at("prometheus.yml")),
            format!("--storage.tsdb.path={}", at("data")),
            "--storage.tsdb.retention.time=10y".to_owned(),
            // What fires is told again at once to an Alertmanager that was found a moment later.
            "--rules.alert.resend-delay=1s".to_owned(),
            "--web.enable-lifecycle".to_owned(),
        ];
        Running::begin("prometheus", folder, &args)
    }

    /// An Alertmanager that tells nobody; None, aloud, where there is none to be started.
    pub fn alertmanager(settings: &str) -> Option<Running> {
        if found("prometheus-alertmanager").is_none() {
            eprintln!("SKIPPED: prometheus-alertmanager is missing: install the package, or run tests/run, which does");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("alertmanager.yml");
        std::fs::write(&file, settings).unwrap();
        let args = [
            format!("--config.file={}", file.display()),
            format!("--storage.path={}", folder.path().join("data").display()),
            "--cluster.listen-address=".to_owned(),
        ];
        Some(Running::begin("prometheus-alertmanager", folder, &args))
    }

    fn begin(name: &str, folder: tempfile::TempDir, args: &[String]) -> Running {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(program(name))
            .args(args)
            .args([format!("--web.listen-address=127.0.0.1:{port}"), "--log.level=error".to_owned()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Running { url: format!("http://127.0.0.1:{port}"), child, folder };
        running.wait(name, port);
        running
    }

    fn wait(&mut self, name: &str, port: u16) {
        use std::io::{Read, Write};
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            assert!(self.child.try_wait().unwrap().is_none(), "{name} ended at once");
            if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
                stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").unwrap();
                let mut answer = String::new();
                if stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ") {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("{name} was not ready after 30 s");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    found(name)
        .unwrap_or_else(|| panic!("{name} is missing: install the package `prometheus`, or run tests/run, which does"))
}

fn found(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| Path::is_file(file))
}
