//! What a browser loads before the console's first page can be used.

use anyhow::{Context as _, Result, ensure};

use crate::{console::Browser, stack::Stack};

/// The first load with an empty cache.
#[derive(Debug, Clone, Copy)]
pub(super) struct FirstLoad {
    /// Bytes over the wire, with headers.
    pub(super) bytes: f64,
    /// The largest of them, the program, in bytes as sent.
    pub(super) program: f64,
    /// Until something is painted, ms.
    pub(super) painted_ms: f64,
}

/// Opens the sign-in page in a fresh browser.
pub(super) fn first_load(stack: &Stack) -> Result<FirstLoad> {
    let browser = Browser::start(&stack.ca_file()?)?;
    browser.goto(&format!("{}/", stack.url()))?;
    let title = browser.text("h1")?;
    ensure!(!title.contains("not built"), "the page says: {title}");
    let said = browser.eval(
        "const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
         const paint = performance.getEntriesByName('first-contentful-paint')[0];
         return [all.reduce((sum, e) => sum + e.transferSize, 0), Math.max(...all.map(e => e.encodedBodySize)), paint ? paint.startTime : null];",
        vec![],
    )?;
    Ok(FirstLoad {
        bytes: said[0].as_f64().context("bytes")?,
        program: said[1].as_f64().context("the program's bytes")?,
        painted_ms: said[2].as_f64().context("a first paint")?,
    })
}
