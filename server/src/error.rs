//! Errors without transport: what went wrong in the product's words.
//!
//! Every error has a public side (a code of the closed list and a sentence) and
//! a private side (the cause, for the log only). `http/problem.rs` turns the
//! public side into RFC 9457; nothing else does.

use std::time::Duration;

use wire::api::{
    policy::Diagnostic,
    problem::{Code, FieldError},
};

/// The result of an act.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there, or not the asker's to know: the answer is the same.
    #[error("not found")]
    NotFound,
    /// The asker may know it but not do it.
    #[error("the role does not allow this")]
    Forbidden,
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    Unauthenticated,
    /// A one-time link that is unknown, used or expired.
    #[error("the link is not valid any more")]
    LinkInvalid,
    /// The request could not be read; the sentence is for the asker.
    #[error("malformed: {0}")]
    Malformed(String),
    /// Fields that were read but refused, each with a sentence for the asker.
    #[error("{}", fields(.0))]
    Invalid(Vec<FieldError>),
    /// It does not fit the present state; the code says how (a code of status 409).
    #[error("conflict: {0}")]
    Conflict(Code),
    /// A policy that does not parse or compile.
    #[error("the policy is not valid ({} findings)", .0.len())]
    PolicyInvalid(Vec<Diagnostic>),
    /// Too often; how long to wait.
    #[error("too many requests")]
    TooMany(Duration),
    /// A part that is needed is away; the cause is for the log.
    #[error("unavailable")]
    Unavailable(#[source] anyhow::Error),
    /// A fault of the server; the cause is for the log.
    #[error("internal error")]
    Internal(#[source] anyhow::Error),
}

impl Error {
    /// One refused field: `invalid("/name", "…")`.
    pub fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        }])
    }

    /// A fault with its cause.
    pub fn internal(cause: impl Into<anyhow::Error>) -> Self {
        Self::Internal(cause.into())
    }

    /// A missing dependency with its cause.
    pub fn unavailable(cause: impl Into<anyhow::Error>) -> Self {
        Self::Unavailable(cause.into())
    }

    /// The code of the closed list.
    pub const fn code(&self) -> Code {
        match self {
            Self::NotFound => Code::NotFound,
            Self::Forbidden => Code::Forbidden,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::LinkInvalid => Code::LinkInvalid,
            Self::Malformed(_) => Code::Malformed,
            Self::Invalid(_) => Code::Invalid,
            Self::Conflict(code) => *code,
            Self::PolicyInvalid(_) => Code::PolicyInvalid,
            Self::TooMany(_) => Code::TooMany,
            Self::Unavailable(_) => Code::Unavailable,
            Self::Internal(_) => Code::Internal,
        }
    }

    /// The private side, for the log: the whole chain of causes in one line.
    pub fn chain(&self) -> String {
        match self {
            Self::Unavailable(cause) | Self::Internal(cause) => format!("{self}: {cause:#}"),
            Self::NotFound
            | Self::Forbidden
            | Self::Unauthenticated
            | Self::LinkInvalid
            | Self::Malformed(_)
            | Self::Invalid(_)
            | Self::Conflict(_)
            | Self::PolicyInvalid(_)
            | Self::TooMany(_) => self.to_string(),
        }
    }

    /// The sentence for the asker: what was wrong here and what to do.
    pub fn public_detail(&self) -> String {
        match self {
            Self::NotFound => "There is nothing here, or it is not yours to see.".to_owned(),
            Self::Forbidden => "Ask an administrator of this tenant.".to_owned(),
            Self::Unauthenticated => {
                "There is no session, or it has ended. Sign in with a link again.".to_owned()
            }
            Self::LinkInvalid => {
                "The link is unknown, was used already, or has expired. Ask for a new one."
                    .to_owned()
            }
            Self::Malformed(sentence) => sentence.clone(),
            Self::Invalid(errors) => fields(errors),
            Self::Conflict(code) => code.title().to_owned(),
            Self::PolicyInvalid(found) => match found.first() {
                Some(first) => format!("Line {}: {}", first.line, first.message),
                None => Code::PolicyInvalid.title().to_owned(),
            },
            Self::TooMany(wait) => {
                format!("Wait {} seconds and try again.", wait.as_secs().max(1))
            }
            Self::Unavailable(_) => {
                "A part of the server is away for the moment; try again shortly.".to_owned()
            }
            Self::Internal(_) => {
                "The operator finds the cause in the log by the request id.".to_owned()
            }
        }
    }
}

fn fields(errors: &[FieldError]) -> String {
    let each: Vec<_> = errors
        .iter()
        .map(|e| format!("{}: {}", e.pointer.trim_start_matches('/'), e.detail))
        .collect();
    each.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_side_never_holds_the_cause() {
        for error in [
            Error::internal(anyhow::anyhow!("canary")),
            Error::unavailable(anyhow::anyhow!("canary")),
        ] {
            assert!(!error.public_detail().contains("canary"));
            assert!(!error.to_string().contains("canary"));
        }
    }

    #[test]
    fn the_private_side_holds_every_cause_in_one_line() {
        let error = Error::unavailable(anyhow::anyhow!("below").context("above"));
        assert_eq!(error.chain(), "unavailable: above: below");
    }

    #[test]
    fn a_refused_field_is_named() {
        let error = Error::invalid("/name", "too long");
        assert_eq!(error.code(), Code::Invalid);
        assert_eq!(error.public_detail(), "name: too long");
    }
}
