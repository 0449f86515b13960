//! Control messages beside datagrams (`struct cmsghdr`): how long each segment of a train is.

/// `SOL_UDP`, the level of both messages.
const LEVEL_UDP: i32 = 17;
/// Sent: cut the payload into datagrams of this size. 16 bits.
const UDP_SEGMENT: i32 = 103;
/// Received: the payload was joined from datagrams of this size. A C `int`.
const UDP_GRO: i32 = 104;

/// The header: a C `size_t`, then two `int`s.
const WORD: usize = size_of::<usize>();
const HEADER: usize = WORD + 8;
/// Room for the messages that are asked for and a few that are not.
const ROOM: usize = 128;
/// A message with 16 bits of data, padded to whole words.
const SEGMENT_SPACE: usize = HEADER + WORD;

/// The control part of one send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct SegmentSize {
    bytes: [u8; SEGMENT_SPACE],
}

impl SegmentSize {
    pub fn new(size: u16) -> Self {
        let mut bytes = [0; SEGMENT_SPACE];
        bytes[..WORD].copy_from_slice(&(HEADER + 2).to_ne_bytes());
        bytes[WORD..WORD + 4].copy_from_slice(&LEVEL_UDP.to_ne_bytes());
        bytes[WORD + 4..HEADER].copy_from_slice(&UDP_SEGMENT.to_ne_bytes());
        bytes[HEADER..HEADER + 2].copy_from_slice(&size.to_ne_bytes());
        Self { bytes }
    }

    pub const fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Where the kernel writes the control part of one receive.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(8))]
pub struct Received {
    bytes: [u8; ROOM],
}

impl Received {
    pub const fn room() -> Self {
        Self { bytes: [0; ROOM] }
    }

    pub const fn as_mut_bytes(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// The size of the datagrams that were joined, if any were; `len` is what
    /// the kernel says it has written.
    pub fn segment_size(&self, len: usize) -> Option<usize> {
        let mut rest = &self.bytes[..len.min(ROOM)];
        while let Some((header, _)) = rest.split_at_checked(HEADER) {
            let total = usize::from_ne_bytes(header[..WORD].try_into().ok()?);
            let level = i32::from_ne_bytes(header[WORD..WORD + 4].try_into().ok()?);
            let kind = i32::from_ne_bytes(header[WORD + 4..].try_into().ok()?);
            let data = rest.get(HEADER..total)?;
            if (level, kind) == (LEVEL_UDP, UDP_GRO) {
                let size = i32::from_ne_bytes(*data.first_chunk()?);
                return usize::try_from(size).ok().filter(|size| *size > 0);
            }
            rest = rest.get(total.next_multiple_of(WORD)..)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: i32, data: &[u8]) -> Vec<u8> {
        let mut bytes = (HEADER + data.len()).to_ne_bytes().to_vec();
        bytes.extend(LEVEL_UDP.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(WORD), 0);
        bytes
    }

    fn received(bytes: &[u8]) -> Option<usize> {
        let mut room = Received::room();
        room.as_mut_bytes()[..bytes.len()].copy_from_slice(bytes);
        room.segment_size(bytes.len())
    }

    #[test]
    fn the_layout_is_that_of_the_c_library() {
        assert_eq!(size_of::<libc::cmsghdr>(), HEADER);
        assert_eq!(LEVEL_UDP, libc::SOL_UDP);
        assert_eq!(UDP_SEGMENT, libc::UDP_SEGMENT);
        assert_eq!(UDP_GRO, libc::UDP_GRO);
        assert_eq!(
            SegmentSize::new(1312).as_bytes(),
            message(UDP_SEGMENT, &1312_u16.to_ne_bytes())
        );
    }

    #[test]
    fn the_size_is_found_behind_other_messages() {
        let mut bytes = message(1, &[0; 5]);
        bytes.extend(message(UDP_GRO, &1312_i32.to_ne_bytes()));
        assert_eq!(received(&bytes), Some(1312));
        assert_eq!(received(&message(1, &[0; 12])), None);
        assert_eq!(received(&[]), None);
    }

    #[test]
    fn nonsense_is_no_size() {
        assert_eq!(received(&message(UDP_GRO, &0_i32.to_ne_bytes())), None);
        assert_eq!(received(&message(UDP_GRO, &(-1_i32).to_ne_bytes())), None);
        assert_eq!(received(&[0; HEADER]), None);
        assert_eq!(received(&[0xff; HEADER]), None);
        let whole = message(UDP_GRO, &1312_i32.to_ne_bytes());
        assert_eq!(received(&whole[..HEADER + 2]), None);
    }
}
