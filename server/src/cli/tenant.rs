//! `warren-server tenant …`.

use clap::{Args, Subcommand};
use wire::api::tenant::Tenant;

use super::{table::table, when::when};
use crate::admin::{self, tenant::Request};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Make a tenant with the starter policy; then give it an owner with `user create`.
    Create {
        /// Its short name, in DNS names and URLs: `acme`.
        slug: String,
        /// Its name for people. Default: the short name.
        #[arg(long)]
        name: Option<String>,
    },
    /// Show all tenants.
    List,
}

impl Command {
    pub(super) fn request(self) -> admin::Request {
        admin::Request::Tenant(match self {
            Self::Create { slug, name } => Request::Create {
                name: name.unwrap_or_else(|| slug.clone()),
                slug,
            },
            Self::List => Request::List,
        })
    }
}

/// Which tenant is meant.
#[derive(Debug, Clone, Args)]
pub(super) struct Which {
    /// The tenant's short name; may be left out while there is only one.
    #[arg(long, value_name = "SLUG")]
    pub(super) tenant: Option<String>,
}

pub(super) fn created(tenant: &Tenant) -> String {
    format!(
        "tenant `{slug}` is there; its machines are called NAME.{suffix}\n\
         next: warren-server user create --tenant {slug} --email ADDRESS --role owner",
        slug = tenant.slug,
        suffix = tenant.dns_suffix,
    )
}

pub(super) fn list(tenants: &[Tenant]) -> String {
    if tenants.is_empty() {
        return "no tenant yet; follow the set-up link, or `warren-server tenant create`".into();
    }
    let rows: Vec<_> = tenants
        .iter()
        .map(|t| {
            [
                t.slug.clone(),
                t.name.clone(),
                t.dns_suffix.clone(),
                when(t.created),
            ]
        })
        .collect();
    table(["TENANT", "NAME", "DNS SUFFIX", "CREATED"], &rows)
}
