//! Somebody with a browser.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Body, response::Response};
use http::{Method, Request, header, request::Builder};
use serde::Serialize;
use tower::ServiceExt as _;
use wire::{UserId, api::session::RedeemLink, paths::SessionPath};

use super::Answer;
use crate::http::peer::Line;

/// A person, with the cookie he was given; clones share it.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    router: Router,
    cookie: Arc<Mutex<Option<String>>>,
    /// Where he asks from.
    pub(crate) remote: SocketAddr,
    /// Who he is; zero for a visitor.
    pub(crate) user: UserId,
    /// His e-mail address; empty for a visitor.
    pub(crate) email: String,
}

impl Persona {
    pub(crate) fn new(router: Router) -> Self {
        Self {
            router,
            cookie: Arc::default(),
            remote: SocketAddr::from(([192, 0, 2, 1], 40_000)),
            user: UserId(0),
            email: String::new(),
        }
    }

    /// The cookie he holds, `NAME=VALUE`.
    pub(crate) fn cookie(&self) -> Option<String> {
        let held = self.cookie.lock().unwrap_or_else(PoisonError::into_inner);
        held.clone()
    }

    /// Puts a cookie into his browser.
    pub(crate) fn holds(&self, cookie: Option<String>) {
        let mut held = self.cookie.lock().unwrap_or_else(PoisonError::into_inner);
        *held = cookie;
    }

    /// A request as our console makes it.
    pub(crate) fn request(&self, method: Method, path: &str) -> Builder {
        let mut builder = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "127.0.0.1:8080")
            .header("sec-fetch-site", "same-origin")
            .header("x-warren-console", "1")
            .extension(Line {
                remote: self.remote,
                tls: false,
            });
        if let Some(cookie) = self.cookie() {
            builder = builder.header(header::COOKIE, cookie);
        }
        builder
    }

    /// Sends a request and keeps the cookie of the answer, whose body may be a stream.
    pub(crate) async fn opens(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        for set in response.headers().get_all(header::SET_COOKIE) {
            let pair = set.to_str().unwrap().split(';').next().unwrap();
            let gone = pair.ends_with('=');
            self.holds((!gone).then(|| pair.to_owned()));
        }
        response
    }

    pub(crate) async fn sends(&self, request: Request<Body>) -> Answer {
        let asked = format!("{} {}", request.method(), request.uri());
        Answer::read(asked, self.opens(request).await).await
    }

    /// A request without a body.
    pub(crate) async fn asks(&self, method: Method, path: &str) -> Answer {
        let request = self.request(method, path).body(Body::empty()).unwrap();
        self.sends(request).await
    }

    /// A request with a JSON body.
    pub(crate) async fn tells(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Answer {
        let request = self
            .request(method, path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(serde_json::to_vec(body).unwrap()))
            .unwrap();
        self.sends(request).await
    }

    pub(crate) async fn gets(&self, path: &str) -> Answer {
        self.asks(Method::GET, path).await
    }

    pub(crate) async fn deletes(&self, path: &str) -> Answer {
        self.asks(Method::DELETE, path).await
    }

    pub(crate) async fn posts(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.tells(Method::POST, path, body).await
    }

    pub(crate) async fn puts(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.tells(Method::PUT, path, body).await
    }

    pub(crate) async fn patches(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.tells(Method::PATCH, path, body).await
    }

    /// Follows a one-time link.
    pub(crate) async fn redeems(&self, link: RedeemLink) -> Answer {
        self.posts(&SessionPath {}.to_path(), &link).await
    }
}
