//! `warren-server setup-link` and `login-link`.

use clap::Args;
use wire::api::user::OneTimeLink;

use super::when::when;
use crate::admin::{self, link::Request};

/// Whom to sign in.
#[derive(Debug, Args)]
pub(super) struct Login {
    /// His e-mail address.
    #[arg(long)]
    email: String,
}

impl Login {
    pub(super) fn request(self) -> admin::Request {
        admin::Request::Link(Request::Login { email: self.email })
    }
}

pub(super) fn setup() -> admin::Request {
    admin::Request::Link(Request::Setup)
}

pub(super) fn made(link: &OneTimeLink) -> String {
    format!(
        "{}\n\nIt works once, until {}.",
        link.url,
        when(link.expires)
    )
}
