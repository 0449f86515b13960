//! An act at the shell: asked, done, shown.

use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::{Output, auth_key, info, link, node, policy, say, tenant, user};
use crate::{
    admin::{self, Answer, Refused, Request},
    config::Config,
};

/// Has `request` done and shows what came of it.
pub(super) async fn run(config: &Config, request: &Request, output: Output) -> Result<ExitCode> {
    match admin::ask(config, request).await? {
        Ok(Answer::CreatedAuthKey(made)) if !output.json => {
            let info = match admin::ask(config, &Request::Server).await? {
                Ok(Answer::Server(info)) => Some(info),
                _ => None,
            };
            say(&auth_key::created(&made, info.as_ref()));
            Ok(ExitCode::SUCCESS)
        }
        Ok(answer) => show(request, &answer, output),
        Err(refused) => refuse(&refused, output),
    }
}

/// Shows a refusal; the exit code says that nothing was done.
pub(super) fn refuse(refused: &Refused, output: Output) -> Result<ExitCode> {
    if output.json {
        say(&json(refused)?);
    } else {
        eprintln!("warren-server: {}", refused.detail);
    }
    Ok(ExitCode::FAILURE)
}

pub(super) fn show(request: &Request, answer: &Answer, output: Output) -> Result<ExitCode> {
    if output.json {
        say(&bare(answer)?);
        return Ok(ExitCode::SUCCESS);
    }
    let text = match answer {
        Answer::Tenant(tenant) => tenant::created(tenant),
        Answer::Tenants(tenants) => tenant::list(tenants),
        Answer::User(user) => user::created(user),
        Answer::Users(users) => user::list(users),
        Answer::CreatedAuthKey(key) => auth_key::created(key, None),
        Answer::Server(info) => info::told(info),
        Answer::AuthKey(key) => auth_key::revoked(key),
        Answer::AuthKeys(keys) => auth_key::list(keys),
        Answer::Node(node) => node::changed(request, node),
        Answer::Nodes(nodes) => node::list(nodes),
        Answer::Routes(routes) => node::routes(routes),
        Answer::Policy(policy) => policy::saved(policy),
        Answer::Checked(checked) => policy::findings("policy", &checked.diagnostics),
        Answer::Explained(explained) => policy::explain::told(explained),
        Answer::Impact(impact) => policy::impact::told(impact),
        Answer::Link(made) => link::made(made),
    };
    say(&text);
    Ok(ExitCode::SUCCESS)
}

/// The value alone, without the word that says which it is.
fn bare(answer: &Answer) -> Result<String> {
    match answer {
        Answer::Tenant(v) => json(v),
        Answer::Tenants(v) => json(v),
        Answer::User(v) => json(v),
        Answer::Users(v) => json(v),
        Answer::CreatedAuthKey(v) => json(v),
        Answer::AuthKey(v) => json(v),
        Answer::AuthKeys(v) => json(v),
        Answer::Node(v) => json(v),
        Answer::Nodes(v) => json(v),
        Answer::Routes(v) => json(v),
        Answer::Policy(v) => json(v),
        Answer::Checked(v) => json(v),
        Answer::Explained(v) => json(v),
        Answer::Impact(v) => json(v),
        Answer::Server(v) => json(v),
        Answer::Link(v) => json(v),
    }
}

/// As programs read it, and people can.
pub(super) fn json(value: &impl Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value)?)
}
