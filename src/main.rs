//! The command line, thin.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidegate::http::provide_tls();
    tidegate::cli::run()
}
