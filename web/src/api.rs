//! Calls to the server: one place that sends, and reads answers and problems.

pub(crate) mod auth_key;
pub(crate) mod node;
pub(crate) mod policy;
pub(crate) mod registration;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod user;

use std::collections::BTreeSet;

use gloo_net::http::{Method, RequestBuilder};
use serde::{Serialize, de::DeserializeOwned};
use wire::api::problem::{Code, Problem};

/// Why a call gave no answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// The server refused it.
    Refused(Box<Problem>),
    /// The server could not be reached.
    Unreachable,
    /// Something answered that is not our API.
    Unreadable {
        /// The HTTP status.
        status: u16,
    },
}

pub(crate) type Result<T> = std::result::Result<T, Failure>;

impl Failure {
    /// The server's code, if it was the server that refused.
    pub(crate) fn code(&self) -> Option<Code> {
        match self {
            Self::Refused(problem) => Some(problem.code),
            Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }

    /// True when nobody is signed in.
    pub(crate) fn is_unauthenticated(&self) -> bool {
        self.code() == Some(Code::Unauthenticated)
    }

    /// What happened, one sentence.
    pub(crate) fn title(&self) -> String {
        match self {
            Self::Refused(problem) => problem.title.clone(),
            Self::Unreachable => "The server cannot be reached.".to_owned(),
            Self::Unreadable { status } => {
                format!("The server's answer ({status}) cannot be read.")
            }
        }
    }

    /// What to do about it.
    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Refused(problem) => problem.detail.clone(),
            Self::Unreachable => {
                "Check your network connection and that the server runs, then try again.".to_owned()
            }
            Self::Unreadable { .. } => {
                "Something between you and the server may have answered in its place, or the console \
                 is older than the server: reload the page."
                    .to_owned()
            }
        }
    }

    /// What an operator finds the request by; empty when there is none.
    pub(crate) fn request_id(&self) -> String {
        match self {
            Self::Refused(problem) => problem.request_id.clone(),
            Self::Unreachable | Self::Unreadable { .. } => String::new(),
        }
    }

    /// Whether all that is wrong is wrong with these fields.
    pub(crate) fn lies_in_fields(&self, fields: &BTreeSet<&'static str>) -> bool {
        let Self::Refused(problem) = self else {
            return false;
        };
        let is_of_field = |pointer: &str| fields.iter().any(|field| lies_in(pointer, field));
        !problem.errors.is_empty() && problem.errors.iter().all(|e| is_of_field(&e.pointer))
    }

    /// What is wrong with the field at a JSON pointer, or with an entry below it.
    pub(crate) fn field(&self, pointer: &str) -> Option<String> {
        match self {
            Self::Refused(problem) => problem
                .errors
                .iter()
                .find(|e| lies_in(&e.pointer, pointer))
                .map(|e| e.detail.clone()),
            Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }
}

/// Whether `pointer` is `field` or something below it.
fn lies_in(pointer: &str, field: &str) -> bool {
    pointer
        .strip_prefix(field)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Proves to the server that the request was made by its own console.
const CONSOLE_HEADER: &str = "x-warren-console";

fn request(method: Method, path: &str) -> RequestBuilder {
    RequestBuilder::new(path)
        .method(method)
        .header(CONSOLE_HEADER, "1")
        .header("accept", "application/json")
}

/// Reads a resource.
pub(crate) async fn get<T: DeserializeOwned>(path: &str) -> Result<T> {
    parse(&get_text(path).await?)
}

/// Reads a resource without looking into it.
pub(crate) async fn get_text(path: &str) -> Result<String> {
    exchange(Method::GET, path, None).await
}

/// Sends a body and reads the answer.
async fn send<B: Serialize, T: DeserializeOwned>(
    method: Method,
    path: &str,
    body: &B,
) -> Result<T> {
    parse(&exchange(method, path, Some(written(body)?)).await?)
}

/// Sends a body; the answer does not matter.
async fn tell<B: Serialize>(method: Method, path: &str, body: &B) -> Result<()> {
    exchange(method, path, Some(written(body)?)).await.map(drop)
}

/// Sends nothing but the request itself; the answer does not matter.
async fn act(method: Method, path: &str) -> Result<()> {
    exchange(method, path, None).await.map(drop)
}

/// Sends nothing but the request itself and reads the answer.
async fn ask<T: DeserializeOwned>(method: Method, path: &str) -> Result<T> {
    parse(&exchange(method, path, None).await?)
}

fn written<B: Serialize>(body: &B) -> Result<String> {
    serde_json::to_string(body).map_err(|_| Failure::Unreadable { status: 0 })
}

/// An answer's text as what it must be.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| Failure::Unreadable { status: 200 })
}

/// One request and its answer as text. Not generic: it is compiled once for all calls.
async fn exchange(method: Method, path: &str, body: Option<String>) -> Result<String> {
    let request = request(method, path);
    let sent = match body {
        None => request.send().await,
        Some(body) => match request
            .header("content-type", "application/json")
            .body(body)
        {
            Ok(request) => request.send().await,
            Err(_) => return Err(Failure::Unreadable { status: 0 }),
        },
    };
    let response = sent.map_err(|_| Failure::Unreachable)?;
    let status = response.status();
    let text = response.text().await.map_err(|_| Failure::Unreachable)?;
    if response.ok() {
        return Ok(text);
    }
    match serde_json::from_str::<Problem>(&text) {
        Ok(problem) => Err(Failure::Refused(Box::new(problem))),
        Err(_) => Err(Failure::Unreadable { status }),
    }
}

#[cfg(test)]
mod tests {
    use wire::api::problem::FieldError;

    use super::*;

    fn refused(code: Code, pointer: &str) -> Failure {
        Failure::Refused(Box::new(Problem {
            kind: format!("/problems/{code}"),
            title: code.title().to_owned(),
            status: code.status(),
            detail: "Look at the fields.".to_owned(),
            code,
            request_id: "r1".to_owned(),
            errors: vec![FieldError {
                pointer: pointer.to_owned(),
                detail: "no such tag".to_owned(),
            }],
            diagnostics: Vec::new(),
        }))
    }

    #[test]
    fn an_error_of_an_entry_is_shown_at_its_field() {
        let failure = refused(Code::Invalid, "/tags/0");
        assert_eq!(failure.field("/tags").as_deref(), Some("no such tag"));
        assert_eq!(failure.field("/tag"), None);
        assert_eq!(failure.field("/name"), None);
        assert_eq!(failure.request_id(), "r1");
        assert!(failure.lies_in_fields(&BTreeSet::from(["/name", "/tags"])));
        assert!(!failure.lies_in_fields(&BTreeSet::from(["/name"])));
        let whole = BTreeSet::from(["/tags"]);
        assert!(!Failure::Unreachable.lies_in_fields(&whole));
    }

    #[test]
    fn only_the_server_can_say_that_nobody_is_signed_in() {
        assert!(refused(Code::Unauthenticated, "").is_unauthenticated());
        assert!(!refused(Code::LinkInvalid, "").is_unauthenticated());
        assert!(!Failure::Unreachable.is_unauthenticated());
        assert!(!Failure::Unreachable.detail().is_empty());
    }
}
