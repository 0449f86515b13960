//! The kernel's clocks since boot.
#![expect(unsafe_code, reason = "clock_gettime is a C function")]

use std::time::Duration;

/// Time since boot, sleep included.
pub fn now() -> Duration {
    read(libc::CLOCK_BOOTTIME)
}

/// Time since boot in which the machine was awake; what [`std::time::Instant`] counts.
pub fn awake() -> Duration {
    read(libc::CLOCK_MONOTONIC)
}

fn read(clock: libc::clockid_t) -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the result; both clocks exist on every Linux since 2.6.39.
    unsafe { libc::clock_gettime(clock, &raw mut time) };
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_since_boot_includes_the_time_awake() {
        let awake_before = awake();
        let total = now();
        assert!(awake_before > Duration::ZERO);
        assert!(total >= awake_before);
    }
}
