//! A document judged for a tenant at a moment: read, checked, its own tests run.

use crate::{
    assertions::{self, Outcome},
    check,
    compile::Compiled,
    diagnostic::Diagnostic,
    directory::{Directory, NodeFacts},
    document::{self, Document},
    has_errors, lint,
    ssh::{self, SshLaw},
};

/// The judgement.
#[derive(Debug, Clone)]
pub struct Assessed {
    /// The document, as far as it could be read.
    pub document: Document,
    /// What is wrong or odd, every failing test among it, in document order.
    pub diagnostics: Vec<Diagnostic>,
    /// True when its tests were run: nothing else is wrong with it.
    pub tested: bool,
    /// What came of each assertion, if they were run.
    pub outcomes: Vec<Outcome>,
}

impl Assessed {
    /// True when nothing stops a save.
    pub fn is_sound(&self) -> bool {
        !has_errors(&self.diagnostics)
    }

    /// The findings of the tests that fail.
    pub fn failures(&self) -> Vec<Diagnostic> {
        assertions::failures(&self.outcomes)
    }
}

/// Judges a document. Tests run only where nothing else is wrong.
pub fn assess(text: &str, directory: &Directory, nodes: &[NodeFacts]) -> Assessed {
    let (document, mut diagnostics) = document::parse(text);
    let mut outcomes = Vec::new();
    if !has_errors(&diagnostics) {
        diagnostics.extend(check::against(&document, directory));
        diagnostics.extend(check::against_nodes(&document, nodes));
        diagnostics.extend(ssh::findings(&document, directory));
    }
    let tested = !has_errors(&diagnostics);
    if tested {
        let law = Compiled::new(&document, directory);
        let ssh = SshLaw::new(&document, directory);
        outcomes = assertions::run(&document, &law, &ssh, directory, nodes);
        diagnostics.extend(assertions::failures(&outcomes));
        diagnostics.extend(lint::lint(text, directory));
    }
    diagnostics.sort_by_key(|d| (d.span, d.severity));
    Assessed {
        document,
        diagnostics,
        tested,
        outcomes,
    }
}
