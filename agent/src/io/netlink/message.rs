//! Reading what the kernel tells.

use std::net::IpAddr;

use super::HEADER;

const KIND_DONE: u16 = 3;

/// One message of the kernel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its kind, `RTM_…`.
    pub kind: u16,
    /// What follows the header: a fixed part, then attributes.
    pub body: Vec<u8>,
}

impl Message {
    /// The attributes behind a fixed part of `fixed` bytes.
    pub fn attributes(&self, fixed: usize) -> impl Iterator<Item = (u16, &[u8])> {
        let mut rest = self.body.get(fixed..).unwrap_or_default();
        std::iter::from_fn(move || {
            let (&[l0, l1, k0, k1], _) = rest.split_first_chunk::<4>()?;
            let len = usize::from(u16::from_ne_bytes([l0, l1]));
            // The two highest bits say how the value is laid out.
            let kind = u16::from_ne_bytes([k0, k1]) & 0x3fff;
            let value = rest.get(4..len)?;
            rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
            Some((kind, value))
        })
    }

    /// The first attribute of a kind.
    pub fn attribute(&self, fixed: usize, kind: u16) -> Option<&[u8]> {
        let found = self.attributes(fixed).find(|(k, _)| *k == kind);
        found.map(|(_, value)| value)
    }
}

/// Reads an address.
pub fn address(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|a| IpAddr::from(*a)),
        16 => value.first_chunk::<16>().map(|a| IpAddr::from(*a)),
        _ => None,
    }
}

/// Reads a number.
pub fn number(value: &[u8]) -> Option<u32> {
    value.first_chunk::<4>().map(|n| u32::from_ne_bytes(*n))
}

/// Adds the messages of one piece of a dump to `out`; false when it was the last.
pub(super) fn take(mut piece: &[u8], out: &mut Vec<Message>) -> bool {
    while let Some(len) = number(piece).and_then(|n| usize::try_from(n).ok()) {
        let (Some(kind), Some(body)) = (piece.get(4..6), piece.get(HEADER..len)) else {
            break;
        };
        let kind = u16::from_ne_bytes([kind[0], kind[1]]);
        if kind == KIND_DONE {
            return false;
        }
        let body = body.to_vec();
        out.push(Message { kind, body });
        piece = piece.get(len.next_multiple_of(4)..).unwrap_or_default();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Body, Netlink, encode},
        *,
    };

    #[test]
    fn attributes_are_read_back() {
        let body = Body::new(&[0; 8])
            .attribute(3, b"odd")
            .attribute(1, &[100, 64, 0, 1]);
        let mut bytes = encode(20, 0, 1, &body);
        let mut found = Vec::new();
        assert!(take(&bytes, &mut found));
        bytes.extend(encode(KIND_DONE, 0, 1, &Body::new(&[0; 4])));
        assert!(!take(&bytes, &mut found));
        assert_eq!((found.len(), found[0].kind), (2, 20));
        let attributes: Vec<_> = found[0].attributes(8).collect();
        assert_eq!(attributes, [(3, &b"odd"[..]), (1, &[100, 64, 0, 1][..])]);
        assert_eq!(address(attributes[1].1), Some([100, 64, 0, 1].into()));
        assert_eq!(found[0].attribute(8, 9), None);
    }

    #[test]
    fn broken_messages_end_the_reading() {
        for bytes in [&[][..], &[1], &[255; 12], &[0; 64], &[16, 0, 0, 0, 2, 0]] {
            assert!(take(bytes, &mut Vec::new()));
        }
        let message = Message {
            kind: 1,
            body: vec![3, 0, 1, 0, 200, 0, 1, 0],
        };
        assert_eq!(message.attributes(0).count(), 0);
    }

    #[test]
    fn the_kernel_knows_the_loopback_interface() {
        const GETLINK: u16 = 18;
        const NAME: u16 = 3;
        let links = Netlink::open().unwrap().dump(GETLINK, &Body::new(&[0; 16]));
        let links = links.unwrap();
        assert!(links.iter().any(|l| l.attribute(16, NAME) == Some(b"lo\0")));
    }
}
