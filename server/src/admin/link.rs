//! One-time links.

use serde::{Deserialize, Serialize};
use wire::api::me::Actor;

use super::Answer;
use crate::{
    act::field,
    app::App,
    error::{Error, Result},
    lifecycle::owner,
    login,
};

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(missing_docs, reason = "names and fields speak for themselves")]
pub enum Request {
    Setup,
    Login { email: String },
}

pub(super) async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Setup => match owner::invite(app).await? {
            Some(link) => Ok(Answer::Link(link)),
            None => Err(Error::Malformed(
                "this server has an owner already; `warren-server login-link --email ADDRESS` \
                 signs an existing user in"
                    .to_owned(),
            )),
        },
        Request::Login { email } => {
            let parsed = field::parse("/email", &email)?;
            match login::login_link(app, by, &parsed).await {
                Err(Error::NotFound) => Err(Error::Malformed(format!(
                    "nobody here has the e-mail address {email}; `warren-server user create` \
                     makes a member"
                ))),
                made => made.map(Answer::Link),
            }
        }
    }
}
