//! Real servers that run on Node.js, from npm.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A server from npm, which ends when it is dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    pub address: String,
    /// What it said behind `ready`.
    pub said: String,
    _folder: tempfile::TempDir,
}

/// What `tests/run` installs, and how a story starts it.
#[derive(Debug)]
pub struct Program {
    /// The folder in `target/tools`; another stands in `TIDEGATE_TEST_` with this name in capitals.
    pub name: &'static str,
    /// The package, in the version of `tests/data/NAME/package.json`.
    pub package: &'static str,
    pub version: &'static str,
    /// A module that listens on the port among its arguments, says `ready`, and ends with its input.
    pub script: &'static str,
    pub variables: &'static [(&'static str, &'static str)],
}

/// How often it is started: a port that was free may be taken before a slow program has it.
const ATTEMPTS: usize = 3;

impl Program {
    /// Starts it, where `tests/run` has installed it; elsewhere it says aloud that there is none. `arguments` makes those of
    /// the script from the port.
    pub fn start(&self, arguments: impl Fn(u16) -> Vec<String>) -> Option<Node> {
        let modules = self.installed();
        if !modules.join(self.package).is_dir() {
            // Past the capture of the test program's output: nobody is to take this for a story that was told.
            let (package, version, folder) = (self.package, self.version, modules.display());
            let told = format!("SKIPPED: no {package} {version} in {folder} (tests/run installs it)\n");
            std::io::stderr().write_all(told.as_bytes()).unwrap();
            return None;
        }
        let mut said = String::new();
        for _ in 0..ATTEMPTS {
            match self.once(&modules, &arguments) {
                Ok(node) => return Some(node),
                Err(words) => said = words,
            }
        }
        panic!("{} ended before it was ready: {said}", self.package)
    }

    /// Started, or what it said on standard error.
    fn once(&self, modules: &Path, arguments: impl Fn(u16) -> Vec<String>) -> Result<Node, String> {
        let folder = tempfile::tempdir().unwrap();
        let errors = folder.path().join("errors");
        // A module is looked for beside the file that asks for it.
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).unwrap();
        std::fs::write(folder.path().join("start.mjs"), self.script).unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child = Command::new("node")
            .arg("start.mjs")
            .args(arguments(port))
            .current_dir(&folder)
            .envs(self.variables.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&errors).unwrap())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let said = lines.find_map(|line| line.strip_prefix("ready").map(|rest| rest.trim().to_owned()));
        let Some(said) = said else {
            let _ = child.wait();
            return Err(std::fs::read_to_string(errors).unwrap());
        };
        // Whatever it says from here on is nobody's concern, but must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(Node { child, address: format!("http://127.0.0.1:{port}"), said, _folder: folder })
    }

    fn installed(&self) -> PathBuf {
        let set = std::env::var_os(format!("TIDEGATE_TEST_{}", self.name.to_uppercase()));
        let own = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/tools").join(self.name);
        set.filter(|value| !value.is_empty()).map_or_else(own, PathBuf::from).join("node_modules")
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
