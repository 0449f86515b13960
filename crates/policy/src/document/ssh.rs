//! What `ssh` says.

use std::time::Duration;

use crate::{diagnostic::Span, selector::Selector, source::Text};

/// One rule of `ssh`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshRule {
    /// Its place in the array, from 0, refused rules counted.
    pub index: usize,
    /// Where the rule stands.
    pub span: Span,
    /// What happens to a connection.
    pub action: SshAction,
    /// Who.
    pub sources: Vec<Selector>,
    /// Into which nodes.
    pub destinations: Vec<Selector>,
    /// As whom.
    pub logins: Vec<Login>,
    /// Environment variables that the client may set, with `*` and `?`.
    pub accept_env: Vec<Text>,
    /// The nodes that record the sessions.
    pub recorders: Vec<Selector>,
    /// True when a session that cannot be recorded ends.
    pub enforce_recorder: bool,
    /// Postures of which a source must meet one; empty: the document's default.
    pub postures: Vec<Text>,
}

/// What happens to a connection that a rule matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SshAction {
    /// It is let in.
    Accept,
    /// It is let in when the person signed in lately.
    Check(CheckPeriod),
}

/// How long a sign-in counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckPeriod {
    /// Every connection asks anew.
    Always,
    /// This long.
    For(Duration),
}

impl CheckPeriod {
    /// Without `checkPeriod`: 12 hours.
    pub const DEFAULT: Self = Self::For(Duration::from_hours(12));
}

/// An entry of `users`, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Login {
    /// Where.
    pub span: Span,
    /// As whom.
    pub kind: LoginKind,
}

/// As whom a connection may sign in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LoginKind {
    /// `root`
    Root,
    /// `autogroup:nonroot`: every name but `root`.
    Nonroot,
    /// `localpart:*@DOMAIN`: the name before the `@` of the person's login, if it is of the domain.
    LocalPart(String),
    /// This name.
    Named(String),
}
