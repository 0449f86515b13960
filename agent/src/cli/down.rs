//! `warren down` and `warren logout`.

use std::path::Path;

use super::{Failure, ask, unexpected};
use crate::local_api::{Reply, Request};

pub(super) fn run(socket: &Path, request: &Request) -> Result<(), Failure> {
    match ask(socket, request)? {
        Reply::Done { message } => {
            if !message.is_empty() {
                println!("{message}");
            }
            Ok(())
        }
        other => Err(unexpected(&other)),
    }
}
