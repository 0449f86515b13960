//! The client's end of a map stream.

use wire::control::{MapResponse, NetMap};

use super::*;

/// How long a frame may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Client {
    stream: MapStream,
    compress: Compression,
    pub(super) map: NetMap,
}

/// The response in a frame.
pub(super) fn read(frame: &[u8], compress: Compression) -> MapResponse {
    let (length, payload) = frame.split_first_chunk::<4>().unwrap();
    assert_eq!(u32::from_le_bytes(*length) as usize, payload.len());
    let json = match compress {
        Compression::Plain => payload.to_vec(),
        Compression::Zstd => ::zstd::stream::decode_all(payload).unwrap(),
    };
    serde_json::from_slice(&json).unwrap()
}

impl Client {
    pub(super) async fn open(
        bench: &Bench,
        node: NodeId,
        compress: Compression,
        fallback: Report,
    ) -> Self {
        Self {
            stream: bench.attach(node, compress, fallback).await.unwrap(),
            compress,
            map: NetMap::default(),
        }
    }

    /// Reads frames until the map is as wanted.
    pub(super) async fn until(&mut self, what: &str, holds: impl Fn(&NetMap) -> bool) {
        while !holds(&self.map) {
            self.frame(what, PATIENCE).await;
        }
    }

    /// The next frame, which must be there already.
    pub(super) async fn frame_now(&mut self, what: &str) -> MapResponse {
        self.frame(what, Duration::from_millis(1)).await
    }

    async fn frame(&mut self, what: &str, patience: Duration) -> MapResponse {
        let next = tokio::time::timeout(patience, self.stream.next()).await;
        let next = next.unwrap_or_else(|_| panic!("no frame came with {what}"));
        let frame = next.unwrap_or_else(|| panic!("the stream ended before {what}"));
        let response = read(&frame, self.compress);
        self.map.apply(response.clone());
        response
    }

    /// Reads on until the stream ends.
    pub(super) async fn ended(&mut self) {
        let end = async { while self.stream.next().await.is_some() {} };
        let end = tokio::time::timeout(PATIENCE, end).await;
        assert!(end.is_ok(), "the stream did not end");
    }
}
