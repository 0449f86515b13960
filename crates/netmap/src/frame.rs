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

/// A frame of pieces that are in their form already.
pub(crate) fn join(pieces: &[Bytes]) -> Bytes {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let mut out = BytesMut::with_capacity(length + 4);
    out.put_u32_le(u32::try_from(length).expect("a netmap is below 4 GiB"));
    for piece in pieces {
        out.put_slice(piece);
    }
    out.freeze()
}
