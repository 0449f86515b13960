//! Signing in and out.

use gloo_net::http::Method;
use wire::{
    api::{
        me::Me,
        session::{InspectLink, LinkInfo, RedeemLink},
    },
    paths::{LinkInspectPath, MePath, SessionPath},
};

use super::Result;

/// Who is signed in.
pub(crate) async fn me() -> Result<Me> {
    super::get(&MePath {}.to_path()).await
}

/// What a one-time link is for.
pub(crate) async fn inspect(token: String) -> Result<LinkInfo> {
    let path = LinkInspectPath {}.to_path();
    super::send(Method::POST, &path, &InspectLink { token }).await
}

/// Uses a one-time link.
pub(crate) async fn redeem(link: RedeemLink) -> Result<Me> {
    super::send(Method::POST, &SessionPath {}.to_path(), &link).await
}

/// Ends the session.
pub(crate) async fn sign_out() -> Result<()> {
    super::act(Method::DELETE, &SessionPath {}.to_path()).await
}
