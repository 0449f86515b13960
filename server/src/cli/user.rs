//! `warren-server user …`.

use clap::Subcommand;
use wire::api::{Role, user::User};

use super::{table::table, tenant::Which, when::when};
use crate::admin::{self, user::Request};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a person a member; `login-link` then signs him in.
    Create {
        #[command(flatten)]
        which: Which,
        /// His e-mail address.
        #[arg(long)]
        email: String,
        /// His name for people. Default: the e-mail address before its `@`.
        #[arg(long, default_value = "", hide_default_value = true)]
        name: String,
        /// What he may do: `owner`, `admin`, `network_admin`, `it_admin`, `billing_admin`,
        /// `auditor` or `member`.
        #[arg(long, default_value = "member")]
        role: Role,
    },
    /// Show the members.
    List {
        #[command(flatten)]
        which: Which,
    },
}

impl Command {
    pub(super) fn request(self) -> admin::Request {
        admin::Request::User(match self {
            Self::Create {
                which,
                email,
                name,
                role,
            } => Request::Create {
                tenant: which.tenant,
                email,
                name,
                role,
            },
            Self::List { which } => Request::List {
                tenant: which.tenant,
            },
        })
    }
}

pub(super) fn created(user: &User) -> String {
    format!(
        "{email} is a member now, as {role}\nnext: warren-server login-link --email {email}",
        email = user.email,
        role = user.role,
    )
}

pub(super) fn list(users: &[User]) -> String {
    let rows: Vec<_> = users
        .iter()
        .map(|u| {
            let seen = u.last_sign_in.map_or("never".to_owned(), when);
            [
                u.email.clone(),
                u.display_name.clone(),
                u.role.to_string(),
                u.nodes.to_string(),
                seen,
            ]
        })
        .collect();
    table(
        ["E-MAIL", "NAME", "ROLE", "MACHINES", "LAST SIGN-IN"],
        &rows,
    )
}
