//! Asking the kernel to change links, addresses and routes (rtnetlink).
#![expect(
    unsafe_code,
    reason = "sockets of this family are opened by C functions"
)]

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsRawFd as _, FromRawFd as _},
};

use super::syscall::check;

mod message;

pub use message::{Message, address, number};

/// `struct nlmsghdr`.
const HEADER: usize = 16;
const KIND_ERROR: u16 = 2;
const FLAG_REQUEST: u16 = 0x1;
const FLAG_ACK: u16 = 0x4;
const FLAG_DUMP: u16 = 0x300;
/// Messages of a dump come in pieces of at most this size.
const PIECE: usize = 64 * 1024;

/// Opens a socket that hears of changes in `groups` (a mask of `RTMGRP_…`) and does not block.
pub fn listen(groups: i32) -> io::Result<File> {
    let socket = socket(libc::SOCK_NONBLOCK)?;
    // SAFETY: all-zero is a valid `sockaddr_nl`.
    let mut addr: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    addr.nl_family = u16::try_from(libc::AF_NETLINK).unwrap_or_default();
    addr.nl_groups = groups.cast_unsigned();
    let len = u32::try_from(size_of::<libc::sockaddr_nl>()).unwrap_or_default();
    // SAFETY: `addr` is a live `sockaddr_nl` of `len` bytes.
    check(unsafe { libc::bind(socket.as_raw_fd(), (&raw const addr).cast(), len) })?;
    Ok(socket)
}

fn socket(flags: i32) -> io::Result<File> {
    let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC | flags;
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::socket(libc::AF_NETLINK, kind, libc::NETLINK_ROUTE) })?;
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { File::from_raw_fd(fd) })
}

/// A connection to the kernel of the thread's network namespace.
#[derive(Debug)]
pub struct Netlink {
    socket: File,
    sequence: u32,
}

/// What follows a message's header: a fixed part, then attributes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    bytes: Vec<u8>,
}

impl Body {
    /// Begins with the fixed part that the kind of message asks for.
    pub fn new(fixed: &[u8]) -> Self {
        Self {
            bytes: fixed.to_vec(),
        }
    }

    /// What is there so far, to be an attribute of another.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attribute(mut self, kind: u16, value: &[u8]) -> Self {
        let len = u16::try_from(4 + value.len()).expect("attributes of ours are short");
        self.bytes.extend(len.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.bytes.extend(value);
        let padded = self.bytes.len().next_multiple_of(4);
        self.bytes.resize(padded, 0);
        self
    }
}

impl Netlink {
    pub fn open() -> io::Result<Self> {
        Ok(Self {
            socket: socket(0)?,
            sequence: 0,
        })
    }

    /// Sends one request and waits until the kernel has done or refused it.
    pub fn request(&mut self, kind: u16, flags: u16, body: &Body) -> io::Result<()> {
        self.sequence += 1;
        let message = encode(kind, flags | FLAG_REQUEST | FLAG_ACK, self.sequence, body);
        self.socket.write_all(&message)?;
        let mut answer = [0; 4096];
        loop {
            let len = self.socket.read(&mut answer)?;
            if let Some(outcome) = outcome(&answer[..len], self.sequence) {
                return match outcome {
                    0 => Ok(()),
                    errno => Err(io::Error::from_raw_os_error(errno)),
                };
            }
        }
    }
}

impl Netlink {
    /// Everything of a kind that the kernel holds; `kind` and `body` say of what.
    pub fn dump(&mut self, kind: u16, body: &Body) -> io::Result<Vec<Message>> {
        self.sequence += 1;
        let request = encode(kind, FLAG_REQUEST | FLAG_DUMP, self.sequence, body);
        self.socket.write_all(&request)?;
        let (mut piece, mut found) = (vec![0; PIECE], Vec::new());
        loop {
            let len = self.socket.read(&mut piece)?;
            match outcome(&piece[..len], self.sequence) {
                None | Some(0) => {}
                Some(errno) => return Err(io::Error::from_raw_os_error(errno)),
            }
            if !message::take(&piece[..len], &mut found) {
                return Ok(found);
            }
        }
    }
}

fn encode(kind: u16, flags: u16, sequence: u32, body: &Body) -> Vec<u8> {
    let len = u32::try_from(HEADER + body.bytes.len()).expect("messages of ours are short");
    let mut message = len.to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    message.extend(&body.bytes);
    message
}

/// What became of the request: an `errno`, 0 for success; `None` when this says nothing of it.
fn outcome(mut messages: &[u8], sequence: u32) -> Option<i32> {
    let word = |bytes: &[u8], at: usize| Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?));
    while messages.len() >= HEADER {
        let len = usize::try_from(word(messages, 0)?).ok()?;
        let kind = u16::from_ne_bytes([messages[4], messages[5]]);
        if kind == KIND_ERROR && word(messages, 8)? == sequence {
            return Some(word(messages, HEADER)?.cast_signed().wrapping_neg());
        }
        messages = messages.get(len.max(HEADER).next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_to_whole_words() {
        let body = Body::new(&[9; 4]).attribute(3, b"abcde");
        assert_eq!(body.bytes.len(), 4 + 12);
        assert_eq!(body.bytes[4..6], 9_u16.to_ne_bytes());
        assert_eq!(&body.bytes[8..], b"abcde\0\0\0");
    }

    #[test]
    fn a_refusal_of_the_kernel_is_an_error() {
        const NEWLINK: u16 = 16;
        let mut netlink = Netlink::open().unwrap();
        // An interface that does not exist.
        let mut fixed = [0; 16];
        fixed[4..8].copy_from_slice(&i32::MAX.to_ne_bytes());
        let refused = netlink.request(NEWLINK, 0, &Body::new(&fixed));
        assert!(refused.is_err());
    }

    #[test]
    fn only_the_answer_to_the_request_counts() {
        let mut answer = encode(KIND_ERROR, 0, 4, &Body::new(&(-1_i32).to_ne_bytes()));
        answer.extend(encode(
            KIND_ERROR,
            0,
            5,
            &Body::new(&(-22_i32).to_ne_bytes()),
        ));
        assert_eq!(outcome(&answer, 5), Some(22));
        assert_eq!(outcome(&answer, 6), None);
        assert_eq!(outcome(&answer[..20], 5), None);
        assert_eq!(outcome(&[0; 64], 5), None);
    }
}
