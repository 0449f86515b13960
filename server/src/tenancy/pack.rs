//! Zstandard, and the frame that says nothing.

use std::cell::RefCell;

use bytes::Bytes;
use netmap::Form;
use wire::control::MapResponse;
use zstd::bulk::Compressor;

use super::Compression;

/// Half of a netmap is keys, which no level packs: the fastest one will do.
const LEVEL: i32 = 1;

thread_local! {
    static COMPRESSOR: RefCell<Compressor<'static>> =
        RefCell::new(Compressor::new(LEVEL).expect("the level is one of Zstandard's"));
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    COMPRESSOR.with_borrow_mut(|c| {
        c.compress(bytes)
            .expect("memory can be compressed to memory")
    })
}

/// The form of frames.
pub(super) fn form(compress: Compression) -> Form {
    match compress {
        Compression::Plain => Form::Plain,
        Compression::Zstd => Form::Packed(zstd),
    }
}

/// A frame that says this.
pub fn frame(compress: Compression, response: &MapResponse) -> Bytes {
    let json = serde_json::to_vec(response);
    netmap::frame(
        form(compress),
        &json.expect("a map response is always JSON"),
    )
}

/// The frame that says nothing but "still here".
pub fn keepalive(compress: Compression) -> Bytes {
    frame(compress, &MapResponse::keepalive())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_pieces_read_as_one() {
        let joined = [zstd(b"one "), zstd(b""), zstd(b"two")].concat();
        assert_eq!(::zstd::stream::decode_all(&joined[..]).unwrap(), b"one two");
    }

    #[test]
    fn a_keepalive_says_nothing_else() {
        let plain = keepalive(Compression::Plain);
        assert_eq!(plain[..4], 18_u32.to_le_bytes());
        assert_eq!(&plain[4..], br#"{"KeepAlive":true}"#);
        let packed = keepalive(Compression::Zstd);
        let payload = ::zstd::stream::decode_all(&packed[4..]).unwrap();
        assert_eq!(payload, &plain[4..]);
    }
}
