//! Tasks of the project that are more than one command. `cargo xtask help` lists them.

mod assets;
mod web;

use anyhow::{Result, bail};

const HELP: &str = "\
cargo xtask web [--release]   build the console into web/dist
                              --release: small and compressed, as the server embeds it
";

fn main() -> Result<()> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["web"] => web::build(web::Profile::Dev),
        ["web", "--release"] => web::build(web::Profile::Release),
        ["help" | "--help"] => {
            say(HELP);
            Ok(())
        }
        _ => bail!("unknown task `{}`; the tasks are:\n{HELP}", words.join(" ")),
    }
}

#[expect(
    clippy::print_stdout,
    reason = "a task speaks to the person who runs it"
)]
fn say(text: &str) {
    println!("{text}");
}
