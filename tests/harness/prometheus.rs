//! A throw-away Prometheus that remembers what the story tells it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server; it ends when it is dropped.
pub struct Prometheus {
    pub url: String,
    child: Child,
    _folder: tempfile::TempDir,
}

/// One series: its name, its labels (`service="checkout"`) and its samples (seconds, value).
pub struct Told<'a> {
    pub name: &'a str,
    pub labels: &'a str,
    pub samples: Vec<(i64, f64)>,
}

impl Prometheus {
    pub fn remembering(told: &[Told<'_>]) -> Prometheus {
        let (server, tool) = (program("prometheus"), program("promtool"));
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
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new(server)
            .arg(format!("--config.file={}", folder.path().join("prometheus.yml").display()))
            .arg(format!("--storage.tsdb.path={}", data.display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--storage.tsdb.retention.time=10y", "--log.level=error"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut prometheus = Prometheus { url: format!("http://127.0.0.1:{port}"), child, _folder: folder };
        prometheus.wait(port);
        prometheus
    }

    fn wait(&mut self, port: u16) {
        use std::io::{Read, Write};
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(30) {
            assert!(self.child.try_wait().unwrap().is_none(), "prometheus ended at once");
            if let Ok(mut stream) = std::net::TcpStream::connect(("127.0.0.1", port)) {
                stream.write_all(b"GET /-/ready HTTP/1.0\r\n\r\n").unwrap();
                let mut answer = String::new();
                if stream.read_to_string(&mut answer).is_ok() && answer.contains(" 200 ") {
                    return;
                }
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("prometheus was not ready after 30 s");
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| Path::is_file(file));
    found.unwrap_or_else(|| panic!("{name} is missing: install the package `prometheus`, or run tests/run, which does"))
}
