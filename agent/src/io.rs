//! The kernel's side of the agent: files, sockets and clocks, each behind a safe type.
//!
//! Calls that the compiler cannot check are made in this folder only, one
//! `#![expect(unsafe_code)]` per file, each call with its `SAFETY` remark.

pub mod boottime;
pub mod control_message;
pub mod doorbell;
pub mod epoll;
pub mod monitor;
pub mod netlink;
pub mod route;
pub mod socket_address;
mod syscall;
pub mod timer;
pub mod tun;
pub mod udp;
