//! `/dev/net/tun` and its ioctls.
#![expect(unsafe_code, reason = "ioctl is a C function")]

use std::{
    ffi::{c_short, c_uint, c_ulong},
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd as _, unix::fs::OpenOptionsExt as _},
};

use mesh::offload::Offload;

use crate::io::syscall::{check, explain};

const DEVICE: &str = "/dev/net/tun";
/// `IFNAMSIZ`, with the zero at the end.
const NAME: usize = 16;

/// `struct ifreq`, as far as `TUNSETIFF` reads it.
#[repr(C)]
struct Request {
    name: [u8; NAME],
    flags: c_short,
    rest: [u8; 22],
}

/// Makes the interface `name`, down and without addresses.
pub(super) fn open(name: &str) -> io::Result<File> {
    let request = request(name)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(DEVICE)
        .map_err(|e| explain(hint(&e), &e))?;
    let fd = file.as_raw_fd();
    // SAFETY: `request` is laid out as the kernel's `struct ifreq` and lives during the call.
    check(unsafe { libc::ioctl(fd, libc::TUNSETIFF, &raw const request) })
        .map_err(|e| explain(&format!("making the TUN interface {name}"), &e))?;
    Ok(file)
}

fn hint(error: &io::Error) -> &'static str {
    if error.kind() == io::ErrorKind::NotFound {
        return "opening /dev/net/tun (load the kernel module `tun`, or give the container the device)";
    }
    "opening /dev/net/tun"
}

fn request(name: &str) -> io::Result<Request> {
    let bytes = name.as_bytes();
    let is_name = !bytes.is_empty()
        && bytes.len() < NAME
        && bytes
            .iter()
            .all(|b| b.is_ascii_graphic() && *b != b'/' && *b != b'%');
    if !is_name {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!(
                "`{name}` is no interface name: 1 to 15 letters, digits or signs, without / and %"
            ),
        ));
    }
    let mut request = Request {
        name: [0; NAME],
        flags: 0,
        rest: [0; 22],
    };
    request.name[..bytes.len()].copy_from_slice(bytes);
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the kernel's flags have 16 bits"
    )]
    let flags = (libc::IFF_TUN | libc::IFF_NO_PI | libc::IFF_VNET_HDR) as c_short;
    request.flags = flags;
    Ok(request)
}

/// Switches on as much of `wanted` as the kernel has; returns what is on.
pub(super) fn set_offload(file: &File, wanted: Offload) -> io::Result<Offload> {
    let steps = [Offload::TcpUdp, Offload::Tcp, Offload::None];
    let mut refused = None;
    for offload in steps.into_iter().filter(|o| *o <= wanted) {
        // SAFETY: this ioctl takes a number, not a pointer.
        let set = unsafe { libc::ioctl(file.as_raw_fd(), libc::TUNSETOFFLOAD, features(offload)) };
        match check(set) {
            Ok(_) => return Ok(offload),
            Err(error) => refused = Some(error),
        }
    }
    Err(refused.unwrap_or_else(|| io::ErrorKind::Unsupported.into()))
}

fn features(offload: Offload) -> c_ulong {
    let tcp: c_uint = libc::TUN_F_CSUM | libc::TUN_F_TSO4 | libc::TUN_F_TSO6;
    let udp: c_uint = libc::TUN_F_USO4 | libc::TUN_F_USO6;
    c_ulong::from(match offload {
        Offload::None => 0,
        Offload::Tcp => tcp,
        Offload::TcpUdp => tcp | udp,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_that_of_the_c_library() {
        assert_eq!(size_of::<Request>(), size_of::<libc::ifreq>());
    }

    #[test]
    fn impossible_names_are_refused_before_the_kernel_sees_them() {
        for name in ["", "a-name-of-16-byt", "a/b", "tun%d", "two words"] {
            assert!(request(name).is_err(), "{name}");
        }
        assert!(request("warren0").is_ok());
        assert!(request("fifteen-bytes-1").is_ok());
    }
}
