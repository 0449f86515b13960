//! Options of TCP connections.
#![expect(unsafe_code, reason = "setsockopt is a C function")]

use std::{
    ffi::c_int,
    io,
    os::fd::{AsFd, AsRawFd as _},
};

use super::syscall::check;

/// Lets the kernel take no more than `bytes` beyond what is on its way already:
/// what waits for the line waits with us, where it is dropped when it gets old.
pub fn limit_unsent(socket: impl AsFd, bytes: c_int) -> io::Result<()> {
    let value: *const c_int = &raw const bytes;
    let len = u32::try_from(size_of::<c_int>()).unwrap_or_default();
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: `value` points to a live `c_int` of `len` bytes.
    let set = unsafe {
        libc::setsockopt(
            fd,
            libc::IPPROTO_TCP,
            libc::TCP_NOTSENT_LOWAT,
            value.cast(),
            len,
        )
    };
    check(set).map(drop)
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write as _,
        net::{TcpListener, TcpStream},
    };

    use super::*;

    #[test]
    fn what_is_not_on_its_way_stays_outside_the_kernel() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = |limit: Option<c_int>| {
            let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let _silent = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            if let Some(bytes) = limit {
                limit_unsent(&stream, bytes).unwrap();
            }
            let (piece, mut sum) = ([0; 4096], 0);
            while let Ok(n) = stream.write(&piece) {
                sum += n;
            }
            sum
        };
        assert!(taken(Some(16 * 1024)) < taken(None));
    }
}
