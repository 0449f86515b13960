//! `warren-server doctor`.

use std::{process::ExitCode, sync::Arc};

use anyhow::Result;

use super::{Output, administer::json, say};
use crate::{
    clock::SystemClock,
    config::Config,
    doctor::{self, Verdict},
};

pub(super) async fn run(config: Config, output: Output) -> Result<ExitCode> {
    let findings = doctor::examine(&config, Arc::new(SystemClock)).await;
    let bad = findings.iter().any(|f| f.verdict == Verdict::Bad);
    if output.json {
        say(&json(&findings)?);
    } else {
        for finding in &findings {
            say(&format!(
                "{:<5} {}: {}",
                finding.verdict, finding.about, finding.says
            ));
        }
        if bad {
            say("\nThe server would not serve well like this; see the lines marked BAD.");
        }
    }
    Ok(if bad {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}
