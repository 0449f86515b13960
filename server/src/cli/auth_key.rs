//! `warren-server auth-key …`.

use clap::Subcommand;
use wire::api::{
    auth_key::{AuthKey, CreateAuthKey, CreatedAuthKey},
    server::ServerInfo,
};

use super::{info::join, table::table, tenant::Which, when::when};
use crate::admin::{self, auth_key::Request};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a key; its secret is shown once.
    Create {
        #[command(flatten)]
        which: Which,
        /// The e-mail address of the member whose key it is; machines without tags are his.
        #[arg(long, value_name = "EMAIL")]
        user: String,
        /// What it is for.
        #[arg(long, default_value = "", hide_default_value = true)]
        description: String,
        /// It may be used more than once.
        #[arg(long)]
        reusable: bool,
        /// Its machines are removed when they go.
        #[arg(long)]
        ephemeral: bool,
        /// Its machines need no approval.
        #[arg(long)]
        preapproved: bool,
        /// Its machines carry these tags, and belong to nobody: `tag:web,tag:prod`.
        #[arg(long, value_delimiter = ',')]
        tags: Vec<String>,
        /// When it ends: `12h`, `30d`, `8w`. Default: 90 days.
        #[arg(long, value_name = "TIME", value_parser = hours)]
        expires: Option<u32>,
    },
    /// Show the keys, without their secrets.
    List {
        #[command(flatten)]
        which: Which,
    },
    /// End a key; machines that joined with it stay.
    Revoke {
        #[command(flatten)]
        which: Which,
        /// Its id, or its first part as `list` shows it.
        key: String,
    },
}

impl Command {
    pub(super) fn request(self) -> admin::Request {
        admin::Request::AuthKey(match self {
            Self::Create {
                which,
                user,
                description,
                reusable,
                ephemeral,
                preapproved,
                tags,
                expires,
            } => Request::Create {
                tenant: which.tenant,
                user,
                new: CreateAuthKey {
                    description,
                    reusable,
                    ephemeral,
                    preapproved,
                    tags,
                    expires_in_hours: expires,
                },
            },
            Self::List { which } => Request::List {
                tenant: which.tenant,
            },
            Self::Revoke { which, key } => Request::Revoke {
                tenant: which.tenant,
                key,
            },
        })
    }
}

/// A time in hours: `12h`, `30d`, `8w`.
fn hours(text: &str) -> Result<u32, String> {
    let refusal = || format!("`{text}` is no time like 12h, 30d or 8w");
    let unit = match text.chars().last() {
        Some('h') => 1,
        Some('d') => 24,
        Some('w') => 24 * 7,
        _ => return Err(refusal()),
    };
    let number = text.get(..text.len() - 1).unwrap_or_default();
    let number: u32 = number.parse().map_err(|_| refusal())?;
    number.checked_mul(unit).ok_or_else(refusal)
}

pub(super) fn created(made: &CreatedAuthKey, server: Option<&ServerInfo>) -> String {
    let secret = &made.secret;
    let mut lines = vec![
        secret.clone(),
        String::new(),
        format!(
            "This is the only time it is shown. It works until {}.",
            when(made.key.expires)
        ),
    ];
    if let Some(server) = server {
        let install = server.install_command.as_ref();
        lines.extend(install.map(|command| format!("On a machine without the agent: {command}")));
        lines.push(format!("On a machine: {}", join(server, Some(secret))));
    }
    lines.join("\n")
}

pub(super) fn revoked(key: &AuthKey) -> String {
    format!(
        "{} is revoked; machines that joined with it stay",
        key.prefix
    )
}

pub(super) fn list(keys: &[AuthKey]) -> String {
    let rows: Vec<_> = keys
        .iter()
        .map(|k| {
            [
                k.prefix.clone(),
                k.user_email.clone(),
                kind(k),
                k.tags.join(","),
                k.uses.to_string(),
                state(k),
            ]
        })
        .collect();
    table(["KEY", "USER", "KIND", "TAGS", "USES", "STATE"], &rows)
}

fn kind(key: &AuthKey) -> String {
    let mut words = vec![if key.reusable { "reusable" } else { "one-off" }];
    words.extend(key.ephemeral.then_some("ephemeral"));
    words.extend(key.preapproved.then_some("preapproved"));
    words.join(",")
}

fn state(key: &AuthKey) -> String {
    match (key.revoked, key.valid) {
        (Some(at), _) => format!("revoked {}", when(at)),
        (None, true) => format!("until {}", when(key.expires)),
        (None, false) if !key.reusable && key.uses > 0 => "used".to_owned(),
        (None, false) => format!("ended {}", when(key.expires)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_words_of_people() {
        assert_eq!(hours("12h"), Ok(12));
        assert_eq!(hours("30d"), Ok(720));
        assert_eq!(hours("2w"), Ok(336));
        for bad in ["", "d", "30", "-1d", "1.5d", "999999999w", "5ß"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
    }
}
