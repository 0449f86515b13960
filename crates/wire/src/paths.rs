//! Every URL of the console's API, once: the server mounts [`TEMPLATE`]s, the
//! console and the tests build them from typed ids.
//!
//! [`TEMPLATE`]: NodesPath::TEMPLATE

use serde::Deserialize;

use crate::id::{AuthKeyId, InviteId, NodeId, PolicyRevisionId, TenantId, UserId};

macro_rules! path {
    ($(#[$doc:meta])* $name:ident, $template:literal $(, $field:ident : $ty:ty)* $(,)?) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
        pub struct $name {
            $(
                #[doc = concat!("The `{", stringify!($field), "}` of the path.")]
                pub $field: $ty,
            )*
        }

        impl $name {
            /// The route as the server mounts it.
            pub const TEMPLATE: &'static str = $template;

            /// The URL path for these ids.
            pub fn to_path(&self) -> String {
                let path = Self::TEMPLATE.to_owned();
                $(let path = path.replace(concat!("{", stringify!($field), "}"), &self.$field.to_string());)*
                path
            }
        }
    };
}

path!(
    /// GET: who am I ([`crate::api::me::Me`]).
    MePath, "/api/v1/me");
path!(
    /// POST: what a one-time link is for ([`crate::api::session::InspectLink`] → [`crate::api::session::LinkInfo`]); unauthenticated.
    LinkInspectPath, "/api/v1/links/inspect");
path!(
    /// POST: use a one-time link ([`crate::api::session::RedeemLink`] → [`crate::api::me::Me`]); unauthenticated. DELETE: sign out.
    SessionPath, "/api/v1/session");
path!(
    /// GET: the server as an administrator sees it ([`crate::api::server::ServerInfo`]).
    ServerPath, "/api/v1/server");
path!(
    /// GET: what a machine that waits for sign-in says of itself
    /// ([`crate::api::registration::Registration`]). POST: let it join
    /// ([`crate::api::registration::ConfirmRegistration`]).
    RegistrationPath, "/api/v1/registrations/{token}", token: String);
path!(
    /// GET: the tenant ([`crate::api::tenant::Tenant`]). PATCH: its settings ([`crate::api::tenant::UpdateTenant`]).
    TenantPath, "/api/v1/tenants/{tenant}", tenant: TenantId);
path!(
    /// GET: server-sent events, each a [`crate::api::event::Event`].
    EventsPath, "/api/v1/tenants/{tenant}/events", tenant: TenantId);
path!(
    /// GET: all nodes (`Vec` of [`crate::api::node::Node`]).
    NodesPath, "/api/v1/tenants/{tenant}/nodes", tenant: TenantId);
path!(
    /// GET: one node ([`crate::api::node::NodeDetail`]). PATCH: rename ([`crate::api::node::RenameNode`]). DELETE: remove.
    NodePath, "/api/v1/tenants/{tenant}/nodes/{node}", tenant: TenantId, node: NodeId);
path!(
    /// POST: approve.
    NodeApprovePath, "/api/v1/tenants/{tenant}/nodes/{node}/approve", tenant: TenantId, node: NodeId);
path!(
    /// POST: expire the key now.
    NodeExpirePath, "/api/v1/tenants/{tenant}/nodes/{node}/expire", tenant: TenantId, node: NodeId);
path!(
    /// PUT: all tags ([`crate::api::node::SetTags`]).
    NodeTagsPath, "/api/v1/tenants/{tenant}/nodes/{node}/tags", tenant: TenantId, node: NodeId);
path!(
    /// PATCH: approve and withdraw routes ([`crate::api::node::DecideRoutes`]).
    NodeRoutesPath, "/api/v1/tenants/{tenant}/nodes/{node}/routes", tenant: TenantId, node: NodeId);
path!(
    /// GET: all auth keys (`Vec` of [`crate::api::auth_key::AuthKey`]). POST: make one
    /// ([`crate::api::auth_key::CreateAuthKey`] → [`crate::api::auth_key::CreatedAuthKey`]).
    AuthKeysPath, "/api/v1/tenants/{tenant}/auth-keys", tenant: TenantId);
path!(
    /// DELETE: revoke.
    AuthKeyPath, "/api/v1/tenants/{tenant}/auth-keys/{key}", tenant: TenantId, key: AuthKeyId);
path!(
    /// GET: the policy in force ([`crate::api::policy::Policy`]). PUT: replace it
    /// ([`crate::api::policy::SavePolicy`] → [`crate::api::policy::Policy`]).
    PolicyPath, "/api/v1/tenants/{tenant}/policy", tenant: TenantId);
path!(
    /// POST: judge a document without saving
    /// ([`crate::api::policy::CheckPolicy`] → [`crate::api::policy::CheckedPolicy`]).
    PolicyCheckPath, "/api/v1/tenants/{tenant}/policy/check", tenant: TenantId);
path!(
    /// POST: why somebody may reach something, or not
    /// ([`crate::api::policy::explain::ExplainPolicy`] → [`crate::api::policy::explain::Explained`]).
    PolicyExplainPath, "/api/v1/tenants/{tenant}/policy/explain", tenant: TenantId);
path!(
    /// POST: what a change would open and shut
    /// ([`crate::api::policy::impact::PreviewImpact`] → [`crate::api::policy::impact::Impact`]).
    PolicyImpactPath, "/api/v1/tenants/{tenant}/policy/impact", tenant: TenantId);
path!(
    /// GET: the revisions, newest first (`Vec` of [`crate::api::policy::Revision`]).
    PolicyRevisionsPath, "/api/v1/tenants/{tenant}/policy/revisions", tenant: TenantId);
path!(
    /// GET: one revision whole ([`crate::api::policy::Policy`]).
    PolicyRevisionPath, "/api/v1/tenants/{tenant}/policy/revisions/{revision}",
    tenant: TenantId, revision: PolicyRevisionId);
path!(
    /// GET: the members (`Vec` of [`crate::api::user::User`]).
    UsersPath, "/api/v1/tenants/{tenant}/users", tenant: TenantId);
path!(
    /// PATCH: change the role ([`crate::api::user::UpdateUser`]). DELETE: remove from the tenant, with its nodes.
    UserPath, "/api/v1/tenants/{tenant}/users/{user}", tenant: TenantId, user: UserId);
path!(
    /// POST: a one-time sign-in link for him ([`crate::api::user::OneTimeLink`]).
    UserLoginLinkPath, "/api/v1/tenants/{tenant}/users/{user}/login-link", tenant: TenantId, user: UserId);
path!(
    /// GET: open invitations (`Vec` of [`crate::api::user::Invite`]). POST: invite
    /// ([`crate::api::user::CreateInvite`] → [`crate::api::user::OneTimeLink`]).
    InvitesPath, "/api/v1/tenants/{tenant}/invites", tenant: TenantId);
path!(
    /// DELETE: withdraw.
    InvitePath, "/api/v1/tenants/{tenant}/invites/{invite}", tenant: TenantId, invite: InviteId);
path!(
    /// GET: the audit log, newest first, paged ([`crate::api::Page`] of [`crate::api::audit::AuditRecord`]).
    AuditPath, "/api/v1/tenants/{tenant}/audit", tenant: TenantId);

/// The console's sign-in page. Links to it carry the secret in the fragment,
/// so that no log and no `Referer` ever holds it.
pub const SIGN_IN_PAGE: &str = "/sign-in";

/// The console's page where a person lets a machine join.
pub const REGISTRATION_PAGE: &str = "/register";

/// A one-time link (set-up, sign-in, invitation): `BASE/sign-in#TOKEN`. `base` is
/// the console's URL without a slash at its end.
pub fn one_time_link(base: &str, token: &str) -> String {
    format!("{base}{SIGN_IN_PAGE}#{token}")
}

/// Where a machine sends its person (`AuthURL`): `BASE/register/TOKEN`.
pub fn registration_link(base: &str, token: &str) -> String {
    format!("{base}{REGISTRATION_PAGE}/{token}")
}

/// The token of a [`registration_link`], as a client repeats it in `Followup`.
pub fn registration_token(link: &str) -> Option<&str> {
    let (_, token) = link.split_once(REGISTRATION_PAGE)?;
    let token = token.strip_prefix('/')?;
    (!token.is_empty() && !token.contains('/')).then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_its_template_with_the_ids_filled_in() {
        let tenant = TenantId(uuid::Uuid::from_u128(1));
        let path = NodeTagsPath {
            tenant,
            node: NodeId(7),
        };
        assert_eq!(
            path.to_path(),
            "/api/v1/tenants/00000000-0000-0000-0000-000000000001/nodes/7/tags"
        );
        assert_eq!(MePath {}.to_path(), MePath::TEMPLATE);
    }

    #[test]
    fn a_link_of_a_waiting_machine_gives_its_token_back() {
        let link = registration_link("https://warren.example:8443", "abc-_1");
        assert_eq!(link, "https://warren.example:8443/register/abc-_1");
        assert_eq!(registration_token(&link), Some("abc-_1"));
        assert_eq!(registration_token("https://warren.example/register/"), None);
        assert_eq!(
            registration_token("https://warren.example/register/a/b"),
            None
        );
        assert_eq!(
            registration_token("https://warren.example/sign-in#abc"),
            None
        );
    }
}
