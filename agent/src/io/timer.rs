//! A timer that runs on while the machine sleeps, and wakes its thread through epoll.
#![expect(unsafe_code, reason = "timerfd's calls are C functions")]

use std::{
    fs::File,
    io::{self, Read as _},
    os::fd::{AsFd, AsRawFd as _, BorrowedFd, FromRawFd as _},
    time::Duration,
};

use super::syscall::check;

/// Readable for epoll when its time has come.
#[derive(Debug)]
pub struct Timer {
    file: File,
}

impl Timer {
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: takes no pointers.
        let fd = check(unsafe { libc::timerfd_create(libc::CLOCK_BOOTTIME, flags) })?;
        // SAFETY: the descriptor is new and nobody else's.
        let file = unsafe { File::from_raw_fd(fd) };
        Ok(Self { file })
    }

    /// Fires once, when that much time (sleep included) has passed since boot; a past time fires now.
    pub fn set(&self, since_boot: Duration) -> io::Result<()> {
        // All zero would disarm it.
        let since_boot = since_boot.max(Duration::from_nanos(1));
        let never = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        let setting = libc::itimerspec {
            it_interval: never,
            it_value: libc::timespec {
                tv_sec: i64::try_from(since_boot.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(since_boot.subsec_nanos()),
            },
        };
        let (fd, flags) = (self.file.as_raw_fd(), libc::TFD_TIMER_ABSTIME);
        let old = std::ptr::null_mut();
        // SAFETY: `setting` is read during the call only; the old setting is not asked for.
        check(unsafe { libc::timerfd_settime(fd, flags, &raw const setting, old) })?;
        Ok(())
    }

    /// Makes it silent until it is set again.
    pub fn clear(&self) {
        let _ = (&self.file).read(&mut [0; 8]);
    }
}

impl AsFd for Timer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::{boottime, epoll::Epoll};

    #[test]
    fn it_fires_when_its_time_has_come_and_not_before() {
        let epoll = Epoll::new().unwrap();
        let timer = Timer::new().unwrap();
        epoll.add(&timer, 3).unwrap();
        let due = boottime::now() + Duration::from_millis(20);
        timer.set(due).unwrap();
        assert!(epoll.wait().unwrap().contains(3));
        assert!(boottime::now() >= due);
        timer.clear();
        timer.set(Duration::ZERO).unwrap();
        assert!(epoll.wait().unwrap().contains(3));
    }
}
