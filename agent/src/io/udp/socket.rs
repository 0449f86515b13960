//! One UDP socket that sends and receives trains.
#![expect(
    unsafe_code,
    reason = "socket calls with control messages are C functions"
)]

use std::{
    ffi::{c_int, c_void},
    io,
    mem::MaybeUninit,
    net::{SocketAddr, UdpSocket},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _},
};

use super::Options;
use crate::io::{
    control_message::{self, SegmentSize},
    socket_address::RawAddress,
    syscall::{check, check_len},
};

/// What trains need: 64 KiB at a time, several of them while the thread is busy.
const BUFFER: c_int = 7 << 20;
/// How long a send may wait for room in the interface's queue.
const PATIENCE_MS: c_int = 20;

/// One socket.
#[derive(Debug)]
pub struct Socket {
    socket: UdpSocket,
    /// The kernel cuts trains into datagrams.
    cuts: bool,
}

/// What one receive brought: datagrams of `segment_size` bytes, the last may be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Received {
    pub from: SocketAddr,
    pub len: usize,
    pub segment_size: usize,
}

/// How many datagrams of a train were sent, and how many were not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sent {
    pub datagrams: u64,
    pub lost: u64,
}

impl Sent {
    /// The whole train is lost.
    pub fn nothing(segment_size: usize, bytes: &[u8]) -> Self {
        Self {
            datagrams: 0,
            lost: count(segment_size, bytes),
        }
    }

    fn whole(segment_size: usize, bytes: &[u8]) -> Self {
        Self {
            datagrams: count(segment_size, bytes),
            lost: 0,
        }
    }
}

fn count(segment_size: usize, bytes: &[u8]) -> u64 {
    bytes.len().div_ceil(segment_size.max(1)) as u64
}

impl Socket {
    pub(super) fn bind(address: SocketAddr, options: Options) -> io::Result<Self> {
        let (family, is_v6) = match address {
            SocketAddr::V4(_) => (libc::AF_INET, false),
            SocketAddr::V6(_) => (libc::AF_INET6, true),
        };
        let kind = libc::SOCK_DGRAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::socket(family, kind, 0) })?;
        // SAFETY: the descriptor is new and nobody else's.
        let socket = unsafe { UdpSocket::from_raw_fd(fd) };
        let fd = socket.as_fd();
        if is_v6 {
            set_option(fd, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
        }
        if options.mark != 0 {
            let mark = options.mark.cast_signed();
            set_option(fd, libc::SOL_SOCKET, libc::SO_MARK, mark)?;
        }
        let raw = RawAddress::from(address);
        // SAFETY: `raw` holds an address of the length that is given.
        check(unsafe { libc::bind(fd.as_raw_fd(), raw.as_ptr().cast(), raw.len()) })?;
        enlarge(fd, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF);
        enlarge(fd, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF);
        // Where the kernel does not know joining, datagrams come one by one.
        let joins = c_int::from(options.offload);
        let _ = set_option(fd, libc::SOL_UDP, libc::UDP_GRO, joins);
        // Zero is the default; whether it is refused tells whether it is known.
        let knows = set_option(fd, libc::SOL_UDP, libc::UDP_SEGMENT, 0).is_ok();
        Ok(Self {
            cuts: options.offload && knows,
            socket,
        })
    }

    pub fn local_address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Whether the kernel cuts trains into datagrams.
    pub const fn cuts(&self) -> bool {
        self.cuts
    }

    /// The next train; `WouldBlock` when there is none. A slot of 64 KiB cuts nothing.
    pub fn receive(&self, slot: &mut [u8]) -> io::Result<Received> {
        let mut from = RawAddress::room();
        let mut control = control_message::Received::room();
        let mut part = libc::iovec {
            iov_base: slot.as_mut_ptr().cast(),
            iov_len: slot.len(),
        };
        let control_bytes = control.as_mut_bytes();
        let mut header = empty_header();
        header.msg_name = from.as_mut_ptr().cast();
        header.msg_namelen = from.len();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        header.msg_control = control_bytes.as_mut_ptr().cast();
        header.msg_controllen = control_bytes.len() as _;
        let fd = self.socket.as_raw_fd();
        // SAFETY: every pointer in `header` leads to room of the length beside it, and all of it
        // outlives the call.
        let len = check_len(unsafe { libc::recvmsg(fd, &raw mut header, 0) })?;
        *from.len_mut() = header.msg_namelen;
        let control_len = length(header.msg_controllen);
        let from = from.read().ok_or(io::ErrorKind::InvalidData)?;
        Ok(Received {
            from,
            len,
            segment_size: control.segment_size(control_len).unwrap_or(len),
        })
    }

    /// Sends a train: in one piece if the kernel and the way cut it, else one by one.
    pub fn send(&mut self, to: SocketAddr, segment_size: usize, bytes: &[u8]) -> Sent {
        let to = RawAddress::from(to);
        if bytes.len() <= segment_size {
            return self.send_one_by_one(&to, segment_size, bytes);
        }
        if self.cuts
            && let Ok(size) = u16::try_from(segment_size)
        {
            match self.send_patiently(&to, Some(size), bytes) {
                Ok(()) => return Sent::whole(segment_size, bytes),
                Err(error) => match error.raw_os_error() {
                    // The interface cannot compute checksums: it never will.
                    Some(libc::EIO) => self.cuts = false,
                    // Too long for this way, or not cut on it: others may.
                    Some(libc::EINVAL | libc::EMSGSIZE) => {}
                    _ => return Sent::nothing(segment_size, bytes),
                },
            }
        }
        self.send_one_by_one(&to, segment_size, bytes)
    }

    fn send_one_by_one(&self, to: &RawAddress, segment_size: usize, bytes: &[u8]) -> Sent {
        let mut sent = Sent::default();
        for datagram in bytes.chunks(segment_size.max(1)) {
            match self.send_patiently(to, None, datagram) {
                Ok(()) => sent.datagrams += 1,
                Err(_) => sent.lost += 1,
            }
        }
        sent
    }

    /// Waits a little for room; the thread has nothing better to do than to
    /// slow down what it reads.
    fn send_patiently(
        &self,
        to: &RawAddress,
        segment_size: Option<u16>,
        bytes: &[u8],
    ) -> io::Result<()> {
        match self.send_now(to, segment_size, bytes) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.wait_for_room()?;
                self.send_now(to, segment_size, bytes)
            }
            outcome => outcome,
        }
    }

    fn send_now(&self, to: &RawAddress, segment_size: Option<u16>, bytes: &[u8]) -> io::Result<()> {
        let control = segment_size.map(SegmentSize::new);
        let mut part = libc::iovec {
            iov_base: bytes.as_ptr().cast_mut().cast(),
            iov_len: bytes.len(),
        };
        let mut header = empty_header();
        header.msg_name = to.as_ptr().cast_mut().cast();
        header.msg_namelen = to.len();
        header.msg_iov = &raw mut part;
        header.msg_iovlen = 1;
        if let Some(control) = &control {
            header.msg_control = control.as_bytes().as_ptr().cast_mut().cast();
            header.msg_controllen = control.as_bytes().len() as _;
        }
        let fd = self.socket.as_raw_fd();
        // SAFETY: every pointer in `header` leads to as many bytes as the length beside it says;
        // the kernel only reads them, and all of it outlives the call.
        check_len(unsafe { libc::sendmsg(fd, &raw const header, libc::MSG_NOSIGNAL) }).map(|_| ())
    }

    fn wait_for_room(&self) -> io::Result<()> {
        let mut wanted = libc::pollfd {
            fd: self.socket.as_raw_fd(),
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one entry is passed and one is there.
        check(unsafe { libc::poll(&raw mut wanted, 1, PATIENCE_MS) }).map(|_| ())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn empty_header() -> libc::msghdr {
    // SAFETY: `msghdr` is integers and pointers, for which zeros are valid.
    unsafe { MaybeUninit::zeroed().assume_init() }
}

/// C libraries differ in the type of this length.
fn length(len: impl TryInto<usize>) -> usize {
    len.try_into().unwrap_or(0)
}

/// Asks for a large buffer, beyond the system's limit if this process may.
fn enlarge(socket: BorrowedFd<'_>, force: c_int, ask: c_int) {
    if set_option(socket, libc::SOL_SOCKET, force, BUFFER).is_err() {
        // The kernel gives what its limit allows.
        let _ = set_option(socket, libc::SOL_SOCKET, ask, BUFFER);
    }
}

fn set_option(socket: BorrowedFd<'_>, level: c_int, name: c_int, value: c_int) -> io::Result<()> {
    const LEN: libc::socklen_t = 4;
    let value = (&raw const value).cast::<c_void>();
    // SAFETY: `value` leads to an int, as `LEN` says.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value, LEN) }).map(|_| ())
}
