//! Frames: a length, and JSON in one or more pieces, each compressed by itself.

use std::sync::OnceLock;

use bytes::{BufMut as _, Bytes, BytesMut};

/// How a frame's JSON travels.
#[derive(Debug, Clone, Copy)]
pub enum Form {
    /// As it is.
    Plain,
    /// Compressed. Compressed pieces put one after the other must read as the
    /// compressed form of the whole, as Zstandard's do.
    Packed(fn(&[u8]) -> Vec<u8>),
}

/// A piece of JSON in both forms, each made once.
#[derive(Debug)]
pub(crate) struct Piece {
    plain: Bytes,
    packed: OnceLock<Bytes>,
}

impl Piece {
    pub(crate) fn new(json: impl Into<Bytes>) -> Self {
        Self {
            plain: json.into(),
            packed: OnceLock::new(),
        }
    }

    pub(crate) fn get(&self, form: Form) -> Bytes {
        match form {
            Form::Plain => self.plain.clone(),
            Form::Packed(pack) => {
                let packed = self.packed.get_or_init(|| pack(&self.plain).into());
                packed.clone()
            }
        }
    }
}

/// A frame of one JSON document.
pub fn frame(form: Form, json: &[u8]) -> Bytes {
    match form {
        Form::Plain => join(&[Bytes::copy_from_slice(json)]),
        Form::Packed(pack) => join(&[pack(json).into()]),
    }
}

/// A frame up to this size is copied into one piece.
const SMALL: usize = 256 * 1024;

/// A frame of pieces that are in their form already: in one piece, or, when it
/// is large, in several, of which those made for many are not copied.
fn frame_of(pieces: Vec<Bytes>) -> Vec<Bytes> {
    let length = pieces.iter().map(Bytes::len).sum();
    if length <= SMALL {
        return vec![join(&pieces)];
    }
    std::iter::once(prefix(length)).chain(pieces).collect()
}

fn prefix(length: usize) -> Bytes {
    let length = u32::try_from(length).expect("a netmap is below 4 GiB");
    Bytes::copy_from_slice(&length.to_le_bytes())
}

/// A response whose last field is a list of peers: `head` is the response
/// without it, `blocks` are parts of the list in their form already.
pub(crate) fn with_peers(
    mut head: Vec<u8>,
    field: &str,
    blocks: Vec<Bytes>,
    form: Form,
) -> Vec<Bytes> {
    let end = head.pop();
    debug_assert_eq!(end, Some(b'}'));
    if head.len() > 1 {
        head.push(b',');
    }
    head.extend_from_slice(format!("\"{field}\":[").as_bytes());
    let mut pieces = vec![Piece::new(head).get(form)];
    let comma = Piece::new(&b","[..]).get(form);
    for (i, block) in blocks.into_iter().enumerate() {
        if i > 0 {
            pieces.push(comma.clone());
        }
        pieces.push(block);
    }
    pieces.push(Piece::new(&b"]}"[..]).get(form));
    frame_of(pieces)
}

/// A frame of pieces that are in their form already, in one.
fn join(pieces: &[Bytes]) -> Bytes {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let mut out = BytesMut::with_capacity(length + 4);
    out.put_slice(&prefix(length));
    for piece in pieces {
        out.put_slice(piece);
    }
    out.freeze()
}
