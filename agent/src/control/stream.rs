//! The map stream: frames of JSON, each compressed on its own or plain.

use std::{io::Read as _, time::Duration};

use bytes::{Buf as _, Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;
use wire::control::MapResponse;

/// The longest frame as it travels.
const MAX_FRAME: usize = 64 * 1024 * 1024;
/// The longest frame once decompressed.
const MAX_DOCUMENT: u64 = 256 * 1024 * 1024;
/// A stream of which nothing comes for so long is dead: servers send a sign of
/// life each minute. A message may take longer.
const SILENCE: Duration = Duration::from_mins(2);

/// Why the stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The connection broke.
    #[error("the map stream broke")]
    Broken(#[source] hyper::Error),
    /// The server ended it, as it does when another stream of this node begins.
    #[error("the server ended the map stream")]
    Ended,
    /// Nothing comes any more.
    #[error("the server has gone silent")]
    Silent,
    /// A frame over the limit.
    #[error("the server sent a map of {0} bytes, which is more than this agent takes")]
    TooLong(usize),
    /// A frame that cannot be decompressed.
    #[error("the server sent a map that cannot be decompressed")]
    Compression(#[source] std::io::Error),
    /// A frame that is no map.
    #[error("the server sent a map that cannot be read: {0}")]
    Json(#[source] serde_json::Error),
}

/// The stream.
#[derive(Debug)]
pub struct MapStream {
    body: Incoming,
    frames: Frames,
}

impl MapStream {
    pub(super) fn new(body: Incoming, compress: &str) -> Self {
        Self {
            body,
            frames: Frames::new(compress == "zstd"),
        }
    }

    /// The next message.
    pub async fn next(&mut self) -> Result<MapResponse, StreamError> {
        loop {
            if let Some(message) = self.frames.next()? {
                return Ok(message);
            }
            let frame = timeout(SILENCE, self.body.frame()).await;
            let frame = frame.map_err(|_| StreamError::Silent)?;
            let frame = frame.ok_or(StreamError::Ended)?;
            if let Ok(data) = frame.map_err(StreamError::Broken)?.into_data() {
                self.frames.push(data);
            }
        }
    }
}

/// Cuts bytes into messages.
#[derive(Debug)]
struct Frames {
    zstd: bool,
    input: BytesMut,
}

impl Frames {
    fn new(zstd: bool) -> Self {
        Self {
            zstd,
            input: BytesMut::new(),
        }
    }

    fn push(&mut self, data: Bytes) {
        if self.input.is_empty() {
            self.input = data.into();
        } else {
            self.input.extend_from_slice(&data);
        }
    }

    fn next(&mut self) -> Result<Option<MapResponse>, StreamError> {
        let Some(header) = self.input.first_chunk::<4>() else {
            return Ok(None);
        };
        let len = usize::try_from(u32::from_le_bytes(*header)).unwrap_or(usize::MAX);
        if len > MAX_FRAME {
            return Err(StreamError::TooLong(len));
        }
        if self.input.len() < 4 + len {
            self.input.reserve(4 + len - self.input.len());
            return Ok(None);
        }
        self.input.advance(4);
        let frame = self.input.split_to(len);
        if !self.zstd {
            return parse(&frame).map(Some);
        }
        let mut document = Vec::new();
        zstd::stream::read::Decoder::with_buffer(&frame[..])
            .and_then(|decoder| decoder.take(MAX_DOCUMENT).read_to_end(&mut document))
            .map_err(StreamError::Compression)?;
        parse(&document).map(Some)
    }
}

fn parse(document: &[u8]) -> Result<MapResponse, StreamError> {
    serde_json::from_slice(document).map_err(StreamError::Json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(payload: &[u8]) -> Vec<u8> {
        let mut out = u32::try_from(payload.len()).unwrap().to_le_bytes().to_vec();
        out.extend_from_slice(payload);
        out
    }

    fn messages(zstd: bool, line: &[u8], step: usize) -> Vec<MapResponse> {
        let mut frames = Frames::new(zstd);
        let mut got = Vec::new();
        for piece in line.chunks(step) {
            frames.push(Bytes::copy_from_slice(piece));
            while let Some(message) = frames.next().unwrap() {
                got.push(message);
            }
        }
        got
    }

    #[test]
    fn frames_are_cut_however_they_arrive() {
        let plain = br#"{"Domain":"acme","Unknown":{"x":1}}"#;
        let squeezed = zstd::encode_all(&plain[..], 3).unwrap();
        for (zstd, payload) in [(false, plain.to_vec()), (true, squeezed)] {
            let mut line = frame(&payload);
            line.extend(frame(&payload));
            for step in [1, 3, 7, 1000] {
                let got = messages(zstd, &line, step);
                assert_eq!(got.len(), 2, "zstd {zstd}, step {step}");
                assert!(got.iter().all(|m| m.domain.as_deref() == Some("acme")));
            }
        }
    }

    #[test]
    fn what_is_no_map_is_refused() {
        let next = |zstd, line: &[u8]| {
            let mut frames = Frames::new(zstd);
            frames.push(Bytes::copy_from_slice(line));
            frames.next()
        };
        assert!(matches!(
            next(false, &[0xff; 4]),
            Err(StreamError::TooLong(_))
        ));
        assert!(matches!(
            next(true, &frame(b"{}")),
            Err(StreamError::Compression(_))
        ));
        assert!(matches!(
            next(false, &frame(b"[")),
            Err(StreamError::Json(_))
        ));
        assert!(next(false, &[1, 0, 0]).unwrap().is_none());
    }
}
