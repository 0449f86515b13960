//! The TUN: the network interface whose packets this process carries.
//!
//! Reads and writes are frames of a `virtio_net_hdr` and a packet or
//! superpacket. The interface is not persistent: it goes when the descriptor
//! is closed, however the process ends.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::{AsFd, BorrowedFd},
};

use mesh::offload::{Offload, VNET_HDR_LEN};

use super::syscall::explain;

mod device;
mod link;

/// The longest frame there is.
pub const MAX_FRAME: usize = VNET_HDR_LEN + 65_535;

/// An open TUN.
#[derive(Debug)]
pub struct Tun {
    file: File,
    name: String,
    offload: Offload,
}

/// What to open.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The interface's name; 15 bytes at most.
    pub name: &'a str,
    pub mtu: u16,
    /// The best offload to ask the kernel for.
    pub offload: Offload,
}

impl Tun {
    /// Makes the interface and sets it up, in the network namespace of this thread.
    pub fn open(wanted: Wanted<'_>) -> io::Result<Self> {
        let file = device::open(wanted.name)?;
        let offload = device::set_offload(&file, wanted.offload)
            .map_err(|e| explain("switching off the TUN's offloads", &e))?;
        link::bring_up(wanted.name, wanted.mtu)
            .map_err(|e| explain(&format!("setting up interface {}", wanted.name), &e))?;
        Ok(Self {
            file,
            name: wanted.name.to_owned(),
            offload,
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the kernel takes and gives in one piece.
    pub const fn offload(&self) -> Offload {
        self.offload
    }

    /// The next frame; `WouldBlock` when there is none.
    pub fn read(&self, frame: &mut [u8]) -> io::Result<usize> {
        (&self.file).read(frame)
    }

    /// Hands one frame to the kernel.
    pub fn write(&self, frame: &[u8]) -> io::Result<()> {
        (&self.file).write(frame).map(|_| ())
    }
}

impl AsFd for Tun {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}
