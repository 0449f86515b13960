//! The Internet checksum (RFC 1071).
//!
//! Sums are taken in the machine's byte order, which gives the same checksum
//! bytes (section 2(B)), and folded once at the end.

/// Adds up 16-bit words; an odd byte at the end counts as followed by zero.
/// Parts of one message may be summed apart when all but the last are even.
pub(super) fn sum(bytes: &[u8]) -> u64 {
    // Eight lanes of 32-bit words in 64-bit sums: no carries to care for, and
    // a shape that compilers turn into vector code.
    let mut lanes = [0_u64; 8];
    let mut chunks = bytes.chunks_exact(32);
    for chunk in &mut chunks {
        for (lane, word) in lanes.iter_mut().zip(chunk.chunks_exact(4)) {
            *lane += u64::from(u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
        }
    }
    let mut total: u64 = lanes.iter().sum();
    let mut pairs = chunks.remainder().chunks_exact(2);
    for pair in &mut pairs {
        total += u64::from(u16::from_ne_bytes([pair[0], pair[1]]));
    }
    if let [last] = *pairs.remainder() {
        total += u64::from(u16::from_ne_bytes([last, 0]));
    }
    total
}

/// Brings a sum down to 16 bits, in the machine's byte order.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the carries are folded in before"
)]
pub(super) const fn fold(mut sum: u64) -> u16 {
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff_ffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    sum as u16
}

/// The sum of the pseudo header without the length. `ip` is an IP header.
pub(super) fn pseudo(ip: &[u8], protocol: u8) -> u64 {
    let addresses = if ip[0] >> 4 == 6 {
        &ip[8..40]
    } else {
        &ip[12..20]
    };
    sum(addresses) + u64::from(u16::from(protocol).to_be())
}

/// The summand of the pseudo header's length.
pub(super) fn length(upper: usize) -> u64 {
    sum(&(upper as u64).to_be_bytes())
}

/// Writes an IPv4 header's own checksum.
pub(super) fn write_ipv4(header: &mut [u8]) {
    header[10..12].fill(0);
    let checksum = !fold(sum(header));
    header[10..12].copy_from_slice(&checksum.to_ne_bytes());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As RFC 1071 says it.
    fn naive(bytes: &[u8]) -> u16 {
        let mut sum = 0_u32;
        for pair in bytes.chunks(2) {
            sum += u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)]));
            sum = (sum & 0xffff) + (sum >> 16);
        }
        u16::try_from(sum).unwrap()
    }

    proptest! {
        #[test]
        fn it_is_that_of_the_standard(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            prop_assert_eq!(u16::from_be(fold(sum(&bytes))), naive(&bytes));
        }

        #[test]
        fn a_length_is_two_words(upper in 0_usize..70_000) {
            let bytes = u32::try_from(upper).unwrap().to_be_bytes();
            prop_assert_eq!(fold(length(upper)), fold(sum(&bytes)));
        }
    }
}
