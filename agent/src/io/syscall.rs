//! What system calls return, as results.

use std::{ffi::c_int, io};

/// A call that returns −1 and sets `errno` when it fails.
pub(super) fn check(returned: c_int) -> io::Result<c_int> {
    if returned < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(returned)
}

/// The same for calls that return a length.
pub(super) fn check_len(returned: isize) -> io::Result<usize> {
    usize::try_from(returned).map_err(|_| io::Error::last_os_error())
}

/// Adds what was attempted to an error; its kind stays.
pub(super) fn explain(attempt: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{attempt}: {error}"))
}
