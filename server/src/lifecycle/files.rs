//! How many files and sockets this process may hold.
#![expect(
    unsafe_code,
    reason = "the standard library has no door to resource limits"
)]

/// Raises the limit of open files as far as the system lets us; returns it.
pub fn raise_limit() -> u64 {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } != 0 {
        return 0;
    }
    let before = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max;
    // SAFETY: `limit` is a valid rlimit that outlives the call.
    if unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) } != 0 {
        return before;
    }
    limit.rlim_cur
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_limit_is_raised_to_what_the_system_allows() {
        let first = super::raise_limit();
        assert!(first > 0);
        assert_eq!(super::raise_limit(), first);
    }
}
