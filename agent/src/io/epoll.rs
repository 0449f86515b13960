//! Waiting for several files at once.
#![expect(unsafe_code, reason = "epoll's calls are C functions")]

use std::{
    io,
    os::fd::{AsFd, AsRawFd as _, FromRawFd as _, OwnedFd},
};

use super::syscall::check;

/// The most files that one [`Epoll::wait`] reports.
const MAX_READY: usize = 8;

/// A set of files, each with a token, that waits until one can be read.
#[derive(Debug)]
pub struct Epoll {
    fd: OwnedFd,
}

/// The tokens of what can be read.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ready {
    tokens: [u64; MAX_READY],
    count: usize,
}

impl Ready {
    pub fn contains(&self, token: u64) -> bool {
        self.tokens[..self.count].contains(&token)
    }
}

impl Epoll {
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the descriptor is new and nobody else's.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { fd })
    }

    /// Adds a file; it stays until it is closed.
    pub fn add(&self, file: &impl AsFd, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event {
            events: libc::EPOLLIN.cast_unsigned(),
            u64: token,
        };
        let (set, file) = (self.fd.as_raw_fd(), file.as_fd().as_raw_fd());
        // SAFETY: both descriptors are open, and `event` is read during the call only.
        check(unsafe { libc::epoll_ctl(set, libc::EPOLL_CTL_ADD, file, &raw mut event) })?;
        Ok(())
    }

    /// Sleeps until a file can be read; a signal ends the sleep too.
    pub fn wait(&self) -> io::Result<Ready> {
        let mut events = [libc::epoll_event { events: 0, u64: 0 }; MAX_READY];
        let set = self.fd.as_raw_fd();
        let room = libc::c_int::try_from(events.len()).unwrap_or(1);
        // SAFETY: `events` has room for as many events as are asked for.
        let count = match check(unsafe { libc::epoll_wait(set, events.as_mut_ptr(), room, -1) }) {
            Ok(count) => usize::try_from(count).unwrap_or(0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Err(error) => return Err(error),
        };
        let tokens = events.map(|event| event.u64);
        Ok(Ready { tokens, count })
    }
}

#[cfg(test)]
mod tests {
    use std::{io::Write as _, os::unix::net::UnixStream};

    use super::*;

    #[test]
    fn only_the_file_with_something_to_read_is_reported() {
        let epoll = Epoll::new().unwrap();
        let (mut far, near) = UnixStream::pair().unwrap();
        let (_silent, other) = UnixStream::pair().unwrap();
        epoll.add(&near, 7).unwrap();
        epoll.add(&other, 8).unwrap();
        far.write_all(b"x").unwrap();
        let ready = epoll.wait().unwrap();
        assert!(ready.contains(7));
        assert!(!ready.contains(8));
    }
}
