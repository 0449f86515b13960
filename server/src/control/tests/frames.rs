//! Map answers, frame by frame.

use bytes::{Buf as _, Bytes, BytesMut};
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use wire::control::MapRequest;

use super::node::Connection;

impl Connection {
    /// Sends a map request; the status, and the frames as they come.
    pub(super) async fn map(&self, request: &MapRequest) -> (StatusCode, Frames) {
        let body = serde_json::to_vec(request).unwrap();
        let request = Request::post("https://unused/machine/map")
            .body(Full::new(body.into()))
            .unwrap();
        let response = self.send(request).await;
        let frames = Frames {
            status: response.status(),
            body: response.into_body(),
            rest: BytesMut::new(),
        };
        (frames.status, frames)
    }
}

/// The frames of a map answer.
#[derive(Debug)]
pub(super) struct Frames {
    status: StatusCode,
    body: Incoming,
    rest: BytesMut,
}

impl Frames {
    /// The next frame's payload; `None` at the end of the answer.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(length) = self.rest.first_chunk::<4>() {
                let length = u32::from_le_bytes(*length) as usize;
                if self.rest.len() >= 4 + length {
                    self.rest.advance(4);
                    return Some(self.rest.split_to(length).freeze());
                }
            }
            let Some(Ok(frame)) = self.body.frame().await else {
                assert!(self.rest.is_empty(), "a frame is cut");
                return None;
            };
            self.rest.extend(frame.into_data().unwrap());
        }
    }
}
