//! Local administration: the same acts as the console's, for the server's own shell.
//!
//! A running server answers on a unix socket in its data directory, mode 0600,
//! for root and the user it runs as. Where no server runs, the program opens
//! the database itself, holding the data directory's lock meanwhile. Either
//! way every act is audited under the login name of who did it.

pub mod auth_key;
mod client;
pub mod link;
pub mod node;
pub mod policy;
mod socket;
pub mod tenant;
pub mod user;
mod words;

use wire::api::me::Actor;

pub use self::{
    client::ask,
    socket::Socket,
    words::{Answer, Refused, Request},
};
use crate::{act, app::App, error::Result};

/// Does what is asked, as `by`.
pub async fn perform(app: &App, by: &Actor, request: Request) -> Result<Answer> {
    match request {
        Request::Tenant(request) => tenant::perform(app, by, request).await,
        Request::User(request) => user::perform(app, by, request).await,
        Request::AuthKey(request) => auth_key::perform(app, by, request).await,
        Request::Node(request) => node::perform(app, by, request).await,
        Request::Policy(request) => policy::perform(app, by, request).await,
        Request::Server => Ok(Answer::Server(act::server::info(app))),
        Request::Link(request) => link::perform(app, by, request).await,
    }
}

/// The somebody at the shell who is user `uid` of this machine.
pub fn actor(uid: u32) -> Actor {
    Actor::LocalAdmin {
        login: crate::lifecycle::login_of(uid),
    }
}

#[cfg(test)]
mod tests;
