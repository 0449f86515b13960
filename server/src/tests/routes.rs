//! Every route of the console's API, with a request that it takes: what the
//! suites walk.

use http::Method;
use serde_json::{Value, json};
use wire::{
    AuthKeyId, NodeId, TenantId, UserId,
    id::{InviteId, PolicyRevisionId},
    paths::*,
};

use crate::testing::{Answer, Persona};

/// The ids that paths and bodies are filled with.
#[derive(Debug, Clone)]
pub(super) struct Ids {
    pub(super) tenant: TenantId,
    pub(super) node: NodeId,
    pub(super) key: AuthKeyId,
    pub(super) revision: PolicyRevisionId,
    pub(super) user: UserId,
    pub(super) invite: InviteId,
    pub(super) token: String,
}

impl Ids {
    /// Ids that nothing has.
    pub(super) fn nowhere() -> Self {
        let uuid = uuid::Uuid::from_u128(0x0198_0000_0000_7000_8000_0123_4567_89ab);
        Self {
            tenant: TenantId(uuid),
            node: NodeId(1 << 40),
            key: AuthKeyId(uuid),
            revision: PolicyRevisionId(uuid),
            user: UserId(1 << 40),
            invite: InviteId(uuid),
            token: "nowhere".to_owned(),
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nobody needs to be signed in.
    Nothing,
    /// Whoever is signed in.
    SignIn,
    /// A member of the tenant in the path, by his role.
    Role,
}

/// One route.
pub(super) struct Route {
    pub(super) method: Method,
    pub(super) template: &'static str,
    pub(super) needs: Needs,
    body: Option<fn(&Ids) -> Value>,
}

impl Route {
    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.template)
    }

    pub(super) fn path(&self, ids: &Ids) -> String {
        self.template
            .replace("{tenant}", &ids.tenant.to_string())
            .replace("{node}", &ids.node.to_string())
            .replace("{key}", &ids.key.to_string())
            .replace("{revision}", &ids.revision.to_string())
            .replace("{user}", &ids.user.to_string())
            .replace("{invite}", &ids.invite.to_string())
            .replace("{token}", &ids.token)
    }

    /// A request as the console makes it.
    pub(super) async fn asked_by(&self, who: &Persona, ids: &Ids) -> Answer {
        let path = self.path(ids);
        match self.body {
            Some(body) => who.tells(self.method.clone(), &path, &body(ids)).await,
            None => who.asks(self.method.clone(), &path).await,
        }
    }

    /// A live stream: its answer has no end.
    pub(super) fn is_stream(&self) -> bool {
        self.template == EventsPath::TEMPLATE
    }
}

fn route(
    method: Method,
    template: &'static str,
    needs: Needs,
    body: Option<fn(&Ids) -> Value>,
) -> Route {
    Route {
        method,
        template,
        needs,
        body,
    }
}

/// All of them.
pub(super) fn all() -> Vec<Route> {
    [signing_in(), people(), machines(), law()]
        .into_iter()
        .flatten()
        .collect()
}

fn signing_in() -> Vec<Route> {
    use Needs::{Nothing, SignIn};
    vec![
        route(Method::GET, MePath::TEMPLATE, SignIn, None),
        route(
            Method::POST,
            LinkInspectPath::TEMPLATE,
            Nothing,
            Some(|ids| json!({ "token": ids.token })),
        ),
        route(
            Method::POST,
            SessionPath::TEMPLATE,
            Nothing,
            Some(|ids| json!({ "token": ids.token })),
        ),
        route(Method::DELETE, SessionPath::TEMPLATE, SignIn, None),
        route(Method::GET, ServerPath::TEMPLATE, SignIn, None),
        route(Method::GET, RegistrationPath::TEMPLATE, SignIn, None),
        route(
            Method::POST,
            RegistrationPath::TEMPLATE,
            SignIn,
            Some(|ids| json!({ "tenant": ids.tenant })),
        ),
    ]
}

fn people() -> Vec<Route> {
    use Needs::Role;
    vec![
        route(Method::GET, TenantPath::TEMPLATE, Role, None),
        route(
            Method::PATCH,
            TenantPath::TEMPLATE,
            Role,
            Some(|_| json!({ "name": "Renamed" })),
        ),
        route(Method::GET, EventsPath::TEMPLATE, Role, None),
        route(Method::GET, UsersPath::TEMPLATE, Role, None),
        route(
            Method::PATCH,
            UserPath::TEMPLATE,
            Role,
            Some(|_| json!({ "role": "member" })),
        ),
        route(Method::DELETE, UserPath::TEMPLATE, Role, None),
        route(Method::POST, UserLoginLinkPath::TEMPLATE, Role, None),
        route(Method::GET, InvitesPath::TEMPLATE, Role, None),
        route(
            Method::POST,
            InvitesPath::TEMPLATE,
            Role,
            Some(|_| json!({ "email": "guest@guest.example", "role": "member" })),
        ),
        route(Method::DELETE, InvitePath::TEMPLATE, Role, None),
    ]
}

fn machines() -> Vec<Route> {
    use Needs::Role;
    vec![
        route(Method::GET, NodesPath::TEMPLATE, Role, None),
        route(Method::GET, NodePath::TEMPLATE, Role, None),
        route(
            Method::PATCH,
            NodePath::TEMPLATE,
            Role,
            Some(|_| json!({ "name": "renamed" })),
        ),
        route(Method::DELETE, NodePath::TEMPLATE, Role, None),
        route(Method::POST, NodeApprovePath::TEMPLATE, Role, None),
        route(Method::POST, NodeExpirePath::TEMPLATE, Role, None),
        route(
            Method::PUT,
            NodeTagsPath::TEMPLATE,
            Role,
            Some(|_| json!({ "tags": [] })),
        ),
        route(
            Method::PATCH,
            NodeRoutesPath::TEMPLATE,
            Role,
            Some(|_| json!({ "approve": ["10.1.0.0/16"], "withdraw": ["0.0.0.0/0"] })),
        ),
        route(Method::GET, AuthKeysPath::TEMPLATE, Role, None),
        route(
            Method::POST,
            AuthKeysPath::TEMPLATE,
            Role,
            Some(|_| json!({})),
        ),
        route(Method::DELETE, AuthKeyPath::TEMPLATE, Role, None),
    ]
}

fn law() -> Vec<Route> {
    use Needs::Role;
    vec![
        route(Method::GET, PolicyPath::TEMPLATE, Role, None),
        route(
            Method::PUT,
            PolicyPath::TEMPLATE,
            Role,
            Some(|ids| json!({ "document": "{\"acls\": []}", "base": ids.revision })),
        ),
        route(
            Method::POST,
            PolicyCheckPath::TEMPLATE,
            Role,
            Some(|_| json!({ "document": "{}" })),
        ),
        route(
            Method::POST,
            PolicyExplainPath::TEMPLATE,
            Role,
            Some(|ids| {
                json!({
                    "revision": ids.revision,
                    "question": { "ask": "who_reaches", "to": "*" },
                })
            }),
        ),
        route(
            Method::POST,
            PolicyImpactPath::TEMPLATE,
            Role,
            Some(|ids| json!({ "retags": [{ "node": ids.node, "tags": [] }] })),
        ),
        route(Method::GET, PolicyRevisionsPath::TEMPLATE, Role, None),
        route(Method::GET, PolicyRevisionPath::TEMPLATE, Role, None),
        route(Method::GET, AuditPath::TEMPLATE, Role, None),
    ]
}
