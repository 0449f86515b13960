//! `warren-server policy …`.

pub(super) mod explain;
pub(super) mod impact;
mod place;

use std::{io::Read as _, path::Path, process::ExitCode};

use anyhow::{Context as _, Result};
use clap::Subcommand;
use wire::api::policy::{CheckedPolicy, Diagnostic, Policy, Severity};

use super::{Output, administer, say, tenant::Which};
use crate::{
    admin::{self, Answer, Refused, policy::Request},
    config::Config,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the policy in force.
    Get {
        #[command(flatten)]
        which: Which,
    },
    /// Judge a document without saving it.
    Check {
        #[command(flatten)]
        which: Which,
        /// The document; `-` reads standard input.
        file: String,
    },
    /// Put a document in force; one that does not compile changes nothing.
    Set {
        #[command(flatten)]
        which: Which,
        /// The document; `-` reads standard input.
        file: String,
        /// Why, for the revision list.
        #[arg(long, default_value = "", hide_default_value = true)]
        reason: String,
    },
    /// Tell whether, by which rule and why somebody may reach something. Ends with 1 unless all of
    /// it is allowed.
    Explain(explain::Explain),
    /// Tell who may reach something, and by which rule. Ends with 1 when nobody may.
    WhoCan(explain::WhoCan),
    /// Tell what a document, or other tags of a machine, would open and shut. Nothing is changed.
    Impact(impact::Preview),
}

pub(super) async fn run(command: Command, config: &Config, output: Output) -> Result<ExitCode> {
    let (file, request) = match command {
        Command::Get { which } => return get(which, config, output).await,
        Command::Explain(asked) => (asked.file(), asked.request()?),
        Command::Impact(preview) => (preview.file(), preview.request()?),
        Command::WhoCan(asked) => (asked.file(), asked.request()?),
        Command::Check { which, file } => {
            let document = read(&file)?;
            let tenant = which.tenant;
            (file, Request::Check { tenant, document })
        }
        Command::Set {
            which,
            file,
            reason,
        } => {
            let document = read(&file)?;
            let tenant = which.tenant;
            let request = Request::Set {
                tenant,
                document,
                reason,
            };
            (file, request)
        }
    };
    let request = admin::Request::Policy(request);
    let answer = admin::ask(config, &request).await?;
    match answer {
        Ok(Answer::Checked(checked)) if !output.json => Ok(judged(&file, &checked)),
        Err(refused) if !refused.diagnostics.is_empty() && !output.json => {
            Ok(not_valid(&request, &file, &refused))
        }
        Ok(answer) => {
            let ok = if let Answer::Checked(checked) = &answer {
                checked.ok
            } else if let Answer::Explained(explained) = &answer {
                explain::is_let_through(explained)
            } else {
                true
            };
            administer::show(&request, &answer, output)?;
            Ok(if ok {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Err(mut refused) => {
            refused.detail = bare(&refused.detail);
            administer::refuse(&refused, output)
        }
    }
}

/// A refusal that names arguments, not fields of the request.
fn bare(detail: &str) -> String {
    detail
        .replace("question/traffic/", "")
        .replace("question/", "")
}

/// The document itself, so that it can go into a file.
async fn get(which: Which, config: &Config, output: Output) -> Result<ExitCode> {
    let request = admin::Request::Policy(Request::Get {
        tenant: which.tenant,
    });
    match admin::ask(config, &request).await? {
        Ok(Answer::Policy(policy)) if !output.json => {
            say(&policy.document);
            if !policy.warnings.is_empty() {
                eprintln!("{}", findings("the policy in force", &policy.warnings));
            }
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => administer::show(&request, &answer, output),
        Err(refused) => administer::refuse(&refused, output),
    }
}

pub(super) fn read(file: &str) -> Result<String> {
    if file == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("reading standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(Path::new(file)).with_context(|| format!("reading {file}"))
}

fn judged(file: &str, checked: &CheckedPolicy) -> ExitCode {
    let text = findings(file, &checked.diagnostics);
    if checked.ok {
        say(&text);
        return ExitCode::SUCCESS;
    }
    eprintln!("{text}");
    ExitCode::FAILURE
}

fn not_valid(request: &admin::Request, file: &str, refused: &Refused) -> ExitCode {
    eprintln!("{}", findings(file, &refused.diagnostics));
    if matches!(request, admin::Request::Policy(Request::Set { .. })) {
        eprintln!("warren-server: nothing was saved");
    } else {
        eprintln!("warren-server: {}", refused.detail);
    }
    ExitCode::FAILURE
}

/// Each finding as compilers print them.
pub(super) fn findings(file: &str, diagnostics: &[Diagnostic]) -> String {
    if diagnostics.is_empty() {
        return format!("{file} is in order");
    }
    let lines: Vec<_> = diagnostics.iter().map(|d| finding(file, d)).collect();
    lines.join("\n")
}

fn finding(file: &str, d: &Diagnostic) -> String {
    let severity = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    let help = d.help.as_ref().map(|h| format!("\n  help: {h}"));
    format!(
        "{file}:{}:{}: {severity}: {}{}",
        d.line,
        d.column,
        d.message,
        help.unwrap_or_default()
    )
}

pub(super) fn saved(policy: &Policy) -> String {
    format!("revision {} is in force", policy.revision.number)
}
