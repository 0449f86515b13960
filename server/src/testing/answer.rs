//! What a request was answered.

use axum::body::{Bytes, to_bytes};
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use wire::api::problem::{Code, Problem};

/// An answer, whole.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) asked: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) async fn read(asked: String, response: axum::response::Response) -> Self {
        let (parts, body) = response.into_parts();
        Self {
            asked,
            status: parts.status,
            headers: parts.headers,
            body: to_bytes(body, usize::MAX).await.unwrap(),
        }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// A success with this body.
    #[track_caller]
    pub(crate) fn ok<T: DeserializeOwned>(&self) -> T {
        self.done();
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(e) => panic!("{}: {e}: {}", self.asked, self.text()),
        }
    }

    /// A success, whatever its body.
    #[track_caller]
    pub(crate) fn done(&self) {
        let fine = self.status.is_success();
        assert!(fine, "{}: {} {}", self.asked, self.status, self.text());
    }

    /// A refusal with this code.
    #[track_caller]
    pub(crate) fn problem(&self, code: Code) -> Problem {
        let (asked, text) = (&self.asked, self.text());
        assert_eq!(self.status.as_u16(), code.status(), "{asked}: {text}");
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{asked}: {text}"
        );
        let problem: Problem = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem.code, code, "{asked}: {text}");
        assert_eq!(problem.kind, format!("/problems/{code}"));
        assert_eq!(
            self.headers["x-request-id"].to_str().unwrap(),
            problem.request_id
        );
        problem
    }

    /// All that an asker can tell two answers apart by, but the request's id.
    pub(crate) fn without_request_id(&self) -> String {
        let id = self.headers.get("x-request-id");
        let id = id.and_then(|id| id.to_str().ok()).unwrap_or_default();
        let headers = format!("{:?}", self.headers);
        let all = format!("{} {headers} {}", self.status, self.text());
        if id.is_empty() {
            all
        } else {
            all.replace(id, "REQUEST-ID")
        }
    }
}
