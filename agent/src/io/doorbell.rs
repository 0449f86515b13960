//! Waking a thread that sleeps in epoll.
#![expect(unsafe_code, reason = "eventfd is a C function")]

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, BorrowedFd, FromRawFd as _},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use super::syscall::check;

#[derive(Debug)]
struct Shared {
    file: File,
    /// Rung and not heard yet: ringing again would say nothing new.
    rung: AtomicBool,
}

impl Shared {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // Fails only when the counter is full, and then the bell is rung already.
            let _ = (&self.file).write(&1_u64.to_ne_bytes());
        }
    }
}

/// The side that rings. When the last button is dropped the bell rings once more.
#[derive(Debug, Clone)]
pub struct Button {
    shared: Arc<LastRing>,
}

#[derive(Debug)]
struct LastRing(Arc<Shared>);

impl Drop for LastRing {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// The side that hears: readable for epoll after a ring.
#[derive(Debug)]
pub struct Bell {
    shared: Arc<Shared>,
}

/// A new bell and its first button.
pub fn doorbell() -> io::Result<(Button, Bell)> {
    // SAFETY: takes no pointers.
    let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
    // SAFETY: the descriptor is new and nobody else's.
    let file = unsafe { File::from_raw_fd(fd) };
    let shared = Arc::new(Shared {
        file,
        rung: AtomicBool::new(false),
    });
    let button = Button {
        shared: Arc::new(LastRing(Arc::clone(&shared))),
    };
    Ok((button, Bell { shared }))
}

impl Button {
    /// Whatever was put down before is seen after the bell's next [`Bell::clear`].
    pub fn ring(&self) {
        self.shared.0.ring();
    }
}

impl Bell {
    /// Makes the bell silent. Look at what was put down after this, never before.
    pub fn clear(&self) {
        let _ = (&self.shared.file).read(&mut [0; 8]);
        // A swap, not a store: it also makes visible what ringers put down before.
        self.shared.rung.swap(false, Ordering::AcqRel);
    }

    /// Rings for oneself: there is more to look at.
    pub fn ring(&self) {
        self.shared.ring();
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.shared.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::epoll::Epoll;

    #[test]
    fn many_rings_are_heard_once_and_the_next_again() {
        let (button, bell) = doorbell().unwrap();
        let epoll = Epoll::new().unwrap();
        epoll.add(&bell, 1).unwrap();
        for _ in 0..3 {
            button.ring();
            button.clone().ring();
            assert!(epoll.wait().unwrap().contains(1));
            bell.clear();
            let mut counter = [0; 8];
            assert!((&bell.shared.file).read(&mut counter).is_err());
        }
    }

    #[test]
    fn the_last_button_rings_when_it_goes() {
        let (button, bell) = doorbell().unwrap();
        let second = button.clone();
        drop(button);
        let mut counter = [0; 8];
        assert!((&bell.shared.file).read(&mut counter).is_err());
        drop(second);
        assert_eq!((&bell.shared.file).read(&mut counter).unwrap(), 8);
    }
}
