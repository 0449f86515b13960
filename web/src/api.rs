//! Calls to the server: one place that sends, and reads answers and problems.

pub(crate) mod auth_key;
pub(crate) mod node;
pub(crate) mod policy;
pub(crate) mod registration;
pub(crate) mod session;
pub(crate) mod tenant;
pub(crate) mod user;

use gloo_net::http::{Method, RequestBuilder, Response};
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

    /// What is wrong with the field at a JSON pointer.
    pub(crate) fn field(&self, pointer: &str) -> Option<String> {
        match self {
            Self::Refused(problem) => problem
                .errors
                .iter()
                .find(|e| e.pointer == pointer)
                .map(|e| e.detail.clone()),
            Self::Unreachable | Self::Unreadable { .. } => None,
        }
    }
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
    let response = request(Method::GET, path).send().await;
    read(checked(response).await?).await
}

/// Sends a body and reads the answer.
async fn send<B: Serialize, T: DeserializeOwned>(
    method: Method,
    path: &str,
    body: &B,
) -> Result<T> {
    read(deliver(method, path, body).await?).await
}

/// Sends a body; the answer does not matter.
async fn tell<B: Serialize>(method: Method, path: &str, body: &B) -> Result<()> {
    deliver(method, path, body).await.map(drop)
}

/// Sends nothing but the request itself; the answer does not matter.
async fn act(method: Method, path: &str) -> Result<()> {
    let response = request(method, path).send().await;
    checked(response).await.map(drop)
}

/// Sends nothing but the request itself and reads the answer.
async fn ask<T: DeserializeOwned>(method: Method, path: &str) -> Result<T> {
    let response = request(method, path).send().await;
    read(checked(response).await?).await
}

async fn deliver<B: Serialize>(method: Method, path: &str, body: &B) -> Result<Response> {
    let Ok(request) = request(method, path).json(body) else {
        return Err(Failure::Unreadable { status: 0 });
    };
    checked(request.send().await).await
}

async fn checked(response: std::result::Result<Response, gloo_net::Error>) -> Result<Response> {
    let response = response.map_err(|_| Failure::Unreachable)?;
    if response.ok() {
        return Ok(response);
    }
    let status = response.status();
    match response.json::<Problem>().await {
        Ok(problem) => Err(Failure::Refused(Box::new(problem))),
        Err(_) => Err(Failure::Unreadable { status }),
    }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T> {
    let status = response.status();
    response
        .json()
        .await
        .map_err(|_| Failure::Unreadable { status })
}
