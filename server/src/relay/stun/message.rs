//! The two messages of the responder, by their bytes (RFC 8489).
//!
//! Request: type 0x0001 ‖ length u16 ‖ magic cookie ‖ transaction (12) ‖
//! attributes, the last of them FINGERPRINT. Response: type 0x0101 with
//! XOR-MAPPED-ADDRESS alone.

use std::net::{IpAddr, SocketAddr};

/// What a request is told apart by.
pub(super) type Transaction = [u8; 12];

const HEADER_LEN: usize = 20;
/// The shortest request: a header, a SOFTWARE attribute and a FINGERPRINT.
const MIN_REQUEST: usize = 40;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const XOR_MAPPED_ADDRESS: [u8; 2] = [0x00, 0x20];
const FINGERPRINT: u16 = 0x8028;
const FINGERPRINT_LEN: usize = 8;
/// Mixed into the CRC of a FINGERPRINT, so that it differs from other protocols' CRCs.
const FINGERPRINT_XOR: u32 = 0x5354_554e;

/// The transaction of a well-formed binding request.
pub(super) fn read_request(packet: &[u8]) -> Option<Transaction> {
    if packet.len() < MIN_REQUEST || packet.get(..2)? != BINDING_REQUEST {
        return None;
    }
    let length = u16::from_be_bytes(*packet.get(2..4)?.first_chunk()?);
    if usize::from(length) + HEADER_LEN != packet.len() || packet.get(4..8)? != COOKIE {
        return None;
    }
    let signed = packet.len().checked_sub(FINGERPRINT_LEN)?;
    let attributes = packet.get(HEADER_LEN..signed)?;
    if !are_attributes(attributes) || !is_fingerprint(packet.get(..signed)?, packet.get(signed..)?)
    {
        return None;
    }
    packet.get(8..HEADER_LEN)?.first_chunk().copied()
}

/// True when `rest` is a sequence of whole attributes.
fn are_attributes(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some((&[_, _, a, b], tail)) = rest.split_first_chunk::<4>() else {
            return false;
        };
        let padded = usize::from(u16::from_be_bytes([a, b])).next_multiple_of(4);
        match tail.get(padded..) {
            Some(next) => rest = next,
            None => return false,
        }
    }
    true
}

fn is_fingerprint(signed: &[u8], attribute: &[u8]) -> bool {
    let mut expected = [0; FINGERPRINT_LEN];
    let crc = crc32(signed) ^ FINGERPRINT_XOR;
    let parts = FINGERPRINT
        .to_be_bytes()
        .into_iter()
        .chain([0, 4])
        .chain(crc.to_be_bytes());
    expected
        .iter_mut()
        .zip(parts)
        .for_each(|(to, from)| *to = from);
    attribute == expected
}

/// The answer: the sender's address as seen from here. 32 or 44 bytes.
pub(super) fn response(transaction: Transaction, seen: SocketAddr) -> Vec<u8> {
    let mut value = vec![0, if seen.is_ipv4() { 1 } else { 2 }];
    let port = seen.port().to_be_bytes();
    value.extend(port.iter().zip(COOKIE).map(|(a, b)| a ^ b));
    let mask = COOKIE.into_iter().chain(transaction);
    match seen.ip() {
        IpAddr::V4(a) => value.extend(a.octets().into_iter().zip(mask).map(|(a, b)| a ^ b)),
        IpAddr::V6(a) => value.extend(a.octets().into_iter().zip(mask).map(|(a, b)| a ^ b)),
    }
    let length = u16::try_from(value.len()).unwrap_or_default();
    let mut out = Vec::with_capacity(HEADER_LEN + 4 + value.len());
    out.extend(BINDING_SUCCESS);
    out.extend((length + 4).to_be_bytes());
    out.extend(COOKIE);
    out.extend(transaction);
    out.extend(XOR_MAPPED_ADDRESS);
    out.extend(length.to_be_bytes());
    out.extend(value);
    out
}

/// CRC-32 as of ISO 3309.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A request as Tailscale's clients send it: SOFTWARE `tailnode`, FINGERPRINT.
    pub(crate) const REQUEST: [u8; 40] = [
        0x00, 0x01, 0x00, 0x14, 0x21, 0x12, 0xa4, 0x42, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07,
        0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x80, 0x22, 0x00, 0x08, 0x74, 0x61, 0x69, 0x6c, 0x6e, 0x6f,
        0x64, 0x65, 0x80, 0x28, 0x00, 0x04, 0xb3, 0x2c, 0x37, 0x0f,
    ];

    /// The address in a response.
    pub(crate) fn mapped_address(packet: &[u8]) -> SocketAddr {
        assert_eq!(packet[..2], BINDING_SUCCESS);
        assert_eq!(packet[8..20], REQUEST[8..20]);
        assert_eq!(packet[20..22], XOR_MAPPED_ADDRESS);
        let port = u16::from_be_bytes([packet[26] ^ 0x21, packet[27] ^ 0x12]);
        let ip: Vec<u8> = packet[28..]
            .iter()
            .zip(&packet[4..20])
            .map(|(a, b)| a ^ b)
            .collect();
        let ip = match packet[25] {
            1 => IpAddr::from(<[u8; 4]>::try_from(ip).unwrap()),
            _ => IpAddr::from(<[u8; 16]>::try_from(ip).unwrap()),
        };
        SocketAddr::new(ip, port)
    }

    #[test]
    fn a_clients_request_is_read() {
        assert_eq!(read_request(&REQUEST).unwrap(), REQUEST[8..20]);
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        for byte in 0..REQUEST.len() {
            for bit in 0..8 {
                let mut bad = REQUEST;
                bad[byte] ^= 1 << bit;
                assert_eq!(read_request(&bad), None, "byte {byte} bit {bit}");
            }
        }
    }

    #[test]
    fn what_is_short_or_long_is_refused() {
        for len in 0..REQUEST.len() {
            assert_eq!(read_request(&REQUEST[..len]), None);
        }
        let mut long = REQUEST.to_vec();
        long.extend([0; 4]);
        assert_eq!(read_request(&long), None);
    }

    #[test]
    fn a_response_is_no_larger_than_a_request_and_four_bytes() {
        let transaction = read_request(&REQUEST).unwrap();
        for (seen, len) in [("192.0.2.1:32853", 32), ("[2001:db8::1]:1", 44)] {
            let seen = seen.parse().unwrap();
            let out = response(transaction, seen);
            assert_eq!(out.len(), len);
            assert_eq!(mapped_address(&out), seen);
        }
    }

    /// RFC 5769, section 2.2: the IPv4 response of the test vectors, without its other attributes.
    #[test]
    fn the_mapped_address_is_that_of_the_rfc() {
        let transaction = [
            0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae,
        ];
        let out = response(transaction, "192.0.2.1:32853".parse().unwrap());
        assert_eq!(
            out[20..],
            [
                0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43
            ]
        );
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
