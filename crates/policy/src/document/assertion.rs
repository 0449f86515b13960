//! What `tests` and `sshTests` say. Names and ports are read when they are run:
//! one that cannot be read is a test that fails.

use crate::{diagnostic::Span, posture::Attributes, source::Text};

/// One entry of `tests`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessTest {
    /// Its place in the array, from 0.
    pub index: usize,
    /// Where the entry stands.
    pub span: Span,
    /// Who.
    pub source: Option<Text>,
    /// The protocol; `None`: TCP or UDP.
    pub protocol: Option<Text>,
    /// What must be reached.
    pub accept: Vec<Text>,
    /// What must not be reached.
    pub deny: Vec<Text>,
    /// The attributes that the source is taken to have, and no others.
    pub attributes: Attributes,
}

/// One entry of `sshTests`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SshTest {
    /// Its place in the array, from 0.
    pub index: usize,
    /// Where the entry stands.
    pub span: Span,
    /// Who.
    pub source: Option<Text>,
    /// Into which nodes.
    pub destinations: Vec<Text>,
    /// As whom it must be possible.
    pub accept: Vec<Text>,
    /// As whom it must be possible once the person signed in lately.
    pub check: Vec<Text>,
    /// As whom it must not be possible.
    pub deny: Vec<Text>,
    /// The attributes that the source is taken to have, and no others.
    pub attributes: Attributes,
}
