//! The law of a tenant: who may reach whom, and why.
//!
//! ```text
//! text ──parse──▶ Document ──Compiled::new(+ Directory)──▶ Compiled ──▶ classes, filters, decisions
//!          └─────▶ Vec<Diagnostic> (spans into the text)
//! ```
//!
//! The crate is pure: it reads no clock and no file, it starts nothing, it does
//! not panic on any input, and equal input gives equal output. What is not
//! allowed by a rule is denied. The same code judges on the server, in the
//! console (WebAssembly) and in tests.
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![deny(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::unreachable
)]
pub mod addresses;
mod approve;
pub mod assertions;
mod assess;
pub mod attributes;
mod bits;
pub mod check;
pub mod class;
pub mod compile;
pub mod complete;
mod cursor;
pub mod decide;
pub mod diagnostic;
pub mod directory;
pub mod document;
mod duration;
pub mod edit;
pub mod explain;
pub mod filter;
pub mod hover;
pub mod impact;
mod internet;
mod ipset;
pub mod keyword;
pub mod lint;
mod login;
pub mod posture;
pub mod protocol;
pub mod routes;
pub mod schema;
pub mod selector;
mod shape;
mod sight;
pub mod source;
pub mod ssh;
pub mod starter;
pub mod target;

pub use assess::{Assessed, assess};
pub use class::{ClassKey, Family, SourceSetId};
pub use compile::{Capabilities, Compiled, Origin, Section};
pub use decide::{Decision, End};
pub use diagnostic::{Code, Diagnostic, Severity, Span, nearest};
pub use directory::{Connection, Directory, Node, NodeFacts, ProviderGroup, User};
pub use document::{Document, parse};
pub use explain::{Explainer, Flow};
pub use filter::{ClassRule, Destination, Place, Source};
pub use routes::Routers;
pub use sight::Sight;
pub use ssh::{SshLaw, SshPlace, SshTable};
pub use starter::STARTER;

/// True when one of the findings stops a save.
pub fn has_errors(diagnostics: &[Diagnostic]) -> bool {
    diagnostics.iter().any(|d| d.severity == Severity::Error)
}
