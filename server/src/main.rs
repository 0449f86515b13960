//! `warren-server`: the coordination server, console and relay.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::cli::main()
}
