//! Log lines: to standard error, and the last ones in memory for `bugreport`.

use std::{
    collections::VecDeque,
    io::{self, Write},
    sync::{Arc, Mutex, PoisonError},
};

use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Lines that are remembered.
const LINES: usize = 500;
/// What is logged without other wishes.
// boringtun calls it an error when a peer is away.
const DEFAULT: &str = "info,boringtun=off";

/// The last log lines.
#[derive(Debug, Clone, Default)]
pub struct Recent(Arc<Mutex<VecDeque<String>>>);

impl Recent {
    /// The lines, oldest first.
    pub fn lines(&self) -> Vec<String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.iter().cloned().collect()
    }

    fn push(&self, line: &[u8]) {
        let line = String::from_utf8_lossy(line).trim_end().to_owned();
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == LINES {
            lines.pop_front();
        }
        lines.push_back(line);
    }
}

/// Starts logging; `filter` is what `WARREN_LOG` says.
pub fn start(filter: Option<&str>) -> anyhow::Result<Recent> {
    let recent = Recent::default();
    let filter = EnvFilter::try_new(filter.unwrap_or(DEFAULT))
        .map_err(|e| anyhow::anyhow!("WARREN_LOG is not a log filter like `info`: {e}"))?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Tee(recent.clone()))
        .try_init()
        .map_err(|e| anyhow::anyhow!("cannot start logging: {e}"))?;
    Ok(recent)
}

/// Writes every line twice.
#[derive(Debug, Clone)]
struct Tee(Recent);

impl<'a> MakeWriter<'a> for Tee {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Write for Tee {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        io::stderr().write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept() {
        let recent = Recent::default();
        for i in 0..=LINES {
            recent.push(format!("line {i}\n").as_bytes());
        }
        let lines = recent.lines();
        assert_eq!(lines.len(), LINES);
        assert_eq!(lines.first().map(String::as_str), Some("line 1"));
    }
}
