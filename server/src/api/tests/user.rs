use std::time::Duration;

use wire::{
    UserId,
    api::{
        me::Me,
        session::LinkInfo,
        user::{Invite, OneTimeLink, User},
    },
};

use super::*;
use crate::{
    act,
    db::NodeOwner,
    error::Error,
    testing::{almost, operator, token_of},
};

fn path_of(tenant: TenantId, user: UserId) -> String {
    UserPath { tenant, user }.to_path()
}

async fn invite(by: &Persona, tenant: TenantId, email: &str, role: Role) -> OneTimeLink {
    let body = json!({ "email": email, "role": role });
    let path = InvitesPath { tenant }.to_path();
    by.posts(&path, &body).await.ok()
}

#[tokio::test]
async fn an_invited_person_becomes_a_member_with_the_role() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let link = invite(&ada, tenant, "Bob@Acme.example", Role::ItAdmin).await;
        assert!(
            link.url
                .starts_with("http://127.0.0.1:8080/sign-in#warren_invite_")
        );
        let open = ada.gets(&InvitesPath { tenant }.to_path()).await;
        let open = open.ok::<Vec<Invite>>();
        assert_eq!(open[0].email, "bob@acme.example");
        assert_eq!(open[0].invited_by, "ada@acme.example");
        assert_eq!(
            open[0].expires.since(open[0].created),
            Duration::from_hours(24 * 7)
        );

        let bob = app.visitor();
        let token = token_of(&link.url);
        let shown = bob
            .posts(
                &LinkInspectPath {}.to_path(),
                &json!({ "token": token.token }),
            )
            .await;
        assert!(matches!(
            shown.ok::<LinkInfo>(),
            LinkInfo::Invite {
                role: Role::ItAdmin,
                ..
            }
        ));
        let mut named = token.clone();
        named.display_name = Some("Bob B.".to_owned());
        let me = bob.redeems(named).await.ok::<Me>();
        assert_eq!(me.display_name, "Bob B.");
        assert_eq!(me.memberships[0].role, Role::ItAdmin);
        app.visitor()
            .redeems(token)
            .await
            .problem(Code::LinkInvalid);
        let open = ada.gets(&InvitesPath { tenant }.to_path()).await;
        assert_eq!(open.ok::<Vec<Invite>>(), []);
        let users = ada.gets(&UsersPath { tenant }.to_path()).await;
        assert_eq!(users.ok::<Vec<User>>().len(), 2);
        assert_eq!(
            audited(&ada, tenant, 3).await,
            [
                record("user.signed_in", "bob@acme.example"),
                record("user.created", "bob@acme.example"),
                record("user.invited", "bob@acme.example"),
            ]
        );
    }
}

#[tokio::test]
async fn an_invitation_ends_after_seven_days_or_when_it_is_withdrawn() {
    let (app, tenant, _) = acme().await;
    let first = app.member(tenant, "eve", Role::Owner).await;
    let link = invite(&first, tenant, "bob@acme.example", Role::Member).await;
    let week = Duration::from_hours(24 * 7);
    app.clock.advance(almost(week));
    let token = token_of(&link.url);
    let inspect = json!({ "token": token.token });
    let looks = LinkInspectPath {}.to_path();
    app.visitor().posts(&looks, &inspect).await.done();
    app.clock.advance(Duration::from_secs(1));
    let late = app.visitor().posts(&looks, &inspect).await;
    late.problem(Code::LinkInvalid);
    app.visitor()
        .redeems(token)
        .await
        .problem(Code::LinkInvalid);

    let ada = app.member(tenant, "ada2", Role::Owner).await;
    let link = invite(&ada, tenant, "bob@acme.example", Role::Member).await;
    let open = ada.gets(&InvitesPath { tenant }.to_path()).await;
    let id = open.ok::<Vec<Invite>>()[0].id;
    let path = InvitePath { tenant, invite: id }.to_path();
    ada.deletes(&path).await.done();
    ada.deletes(&path).await.problem(Code::NotFound);
    let token = token_of(&link.url);
    app.visitor()
        .redeems(token)
        .await
        .problem(Code::LinkInvalid);
}

#[tokio::test]
async fn a_member_is_not_invited_again() {
    let (app, tenant, ada) = acme().await;
    let path = InvitesPath { tenant }.to_path();
    let body = json!({ "email": "ADA@acme.example", "role": "member" });
    ada.posts(&path, &body).await.problem(Code::AlreadyMember);
    for email in ["", "ada", "a b@c", "@x"] {
        let body = json!({ "email": email, "role": "member" });
        let problem = ada.posts(&path, &body).await.problem(Code::Invalid);
        assert_eq!(problem.errors[0].pointer, "/email");
    }
    // Two invitations of one person: the second to be used finds a member.
    let one = invite(&ada, tenant, "bob@acme.example", Role::Member).await;
    let two = invite(&ada, tenant, "bob@acme.example", Role::Admin).await;
    let bob = app.visitor();
    bob.redeems(token_of(&one.url)).await.done();
    let again = bob.redeems(token_of(&two.url)).await;
    again.problem(Code::AlreadyMember);
}

#[tokio::test]
async fn nobody_gives_or_touches_rights_that_he_does_not_have() {
    let (app, tenant, ada) = acme().await;
    let amy = app.member(tenant, "amy", Role::Admin).await;
    let ivo = app.member(tenant, "ivo", Role::ItAdmin).await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let give = |by: &Persona, user: UserId, role: Role| {
        let (by, path) = (by.clone(), path_of(tenant, user));
        async move { by.patches(&path, &json!({ "role": role })).await }
    };
    for role in [Role::Owner, Role::Admin, Role::NetworkAdmin] {
        give(&ivo, bob.user, role).await.problem(Code::Forbidden);
        give(&ivo, ivo.user, role).await.problem(Code::Forbidden);
        let body = json!({ "email": "x@acme.example", "role": role });
        let path = InvitesPath { tenant }.to_path();
        ivo.posts(&path, &body).await.problem(Code::Forbidden);
    }
    give(&amy, bob.user, Role::Owner)
        .await
        .problem(Code::Forbidden);
    give(&amy, ada.user, Role::Member)
        .await
        .problem(Code::Forbidden);
    amy.deletes(&path_of(tenant, ada.user))
        .await
        .problem(Code::Forbidden);
    for (by, whom) in [(&amy, &ada), (&ivo, &ada), (&ivo, &amy)] {
        let path = UserLoginLinkPath {
            tenant,
            user: whom.user,
        };
        let answer = by.asks(http::Method::POST, &path.to_path()).await;
        answer.problem(Code::Forbidden);
    }
    let changed = give(&ivo, bob.user, Role::Auditor).await.ok::<User>();
    assert_eq!(changed.role, Role::Auditor);
    assert_eq!(
        audited(&ada, tenant, 1).await,
        [record("user.role_changed", "bob@acme.example")]
    );
    bob.gets(&PolicyPath { tenant }.to_path()).await.done();
}

#[tokio::test]
async fn the_last_owner_can_neither_go_nor_step_down() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let path = path_of(tenant, ada.user);
        let down = json!({ "role": "admin" });
        ada.patches(&path, &down).await.problem(Code::LastOwner);
        ada.deletes(&path).await.problem(Code::LastOwner);
        let shell = act::user::remove(&app.app, &operator(), tenant, ada.user).await;
        assert!(matches!(shell, Err(Error::Conflict(Code::LastOwner))));
        // Two owners who each send the other away: one of them stays.
        let eve = app.member(tenant, "eve", Role::Owner).await;
        let (a, b) = futures_util::future::join(
            ada.deletes(&path_of(tenant, eve.user)),
            eve.deletes(&path_of(tenant, ada.user)),
        )
        .await;
        let gone = [&a, &b].iter().filter(|x| x.status.is_success()).count();
        assert_eq!(gone, 1, "{a:?} {b:?}");
        let left = act::user::list(&app.app, tenant).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].role, Role::Owner);
    }
}

#[tokio::test]
async fn a_removed_member_goes_with_machines_keys_and_sessions() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let bob = app.member(tenant, "bob", Role::NetworkAdmin).await;
        let key = bob
            .posts(&AuthKeysPath { tenant }.to_path(), &json!({}))
            .await;
        key.done();
        let his = app.node(tenant, "his", NodeOwner::User(bob.user)).await;
        let tagged = NodeOwner::Tags(vec!["tag:server".parse().unwrap()]);
        let server = app.node(tenant, "server", tagged).await;
        ada.deletes(&path_of(tenant, bob.user)).await.done();

        assert_eq!(app.app.admission.tenant_of(&his.node_key), None);
        assert_eq!(app.app.admission.tenant_of(&server.node_key), Some(tenant));
        let keys = ada.gets(&AuthKeysPath { tenant }.to_path()).await;
        assert_eq!(keys.ok::<Vec<Value>>().len(), 0);
        let nodes = ada.gets(&NodesPath { tenant }.to_path()).await;
        assert_eq!(nodes.ok::<Vec<Value>>().len(), 1);
        bob.gets(&MePath {}.to_path())
            .await
            .problem(Code::Unauthenticated);
        assert_eq!(
            audited(&ada, tenant, 2).await,
            [
                record("user.removed", "bob@acme.example"),
                record("node.removed", "his"),
            ]
        );
        ada.deletes(&path_of(tenant, bob.user))
            .await
            .problem(Code::NotFound);
    }
}

#[tokio::test]
async fn a_sign_in_link_of_a_tenants_administrator_reaches_that_tenant_only() {
    let (app, acme, ada) = acme().await;
    let globex = app.tenant("globex").await;
    let eve = app
        .member_called(globex, "eve@x.example", Role::Owner)
        .await;
    // She is a member of both; acme's owner cannot get at globex through her.
    let link = invite(&ada, acme, "eve@x.example", Role::Member).await;
    let thief = app.visitor();
    let me = thief.redeems(token_of(&link.url)).await.ok::<Me>();
    let reached: Vec<_> = me.memberships.iter().map(|m| m.tenant).collect();
    assert_eq!(reached, [acme]);
    let path = TenantPath { tenant: globex }.to_path();
    thief.gets(&path).await.problem(Code::NotFound);
    let user = me.memberships[0].user;
    let path_link = UserLoginLinkPath { tenant: acme, user }.to_path();
    let link = ada.asks(http::Method::POST, &path_link).await;
    let link = link.ok::<OneTimeLink>();
    let thief = app.visitor();
    thief.redeems(token_of(&link.url)).await.done();
    thief.gets(&path).await.problem(Code::NotFound);
    // Whoever is signed in as her already keeps what that reached.
    let link = ada.asks(http::Method::POST, &path_link).await;
    let link = link.ok::<OneTimeLink>();
    let me = eve.redeems(token_of(&link.url)).await.ok::<Me>();
    assert_eq!(me.memberships.len(), 2);
    eve.gets(&path).await.done();
}

#[tokio::test]
async fn a_link_into_a_tenant_that_the_person_has_left_is_worth_nothing() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let path = UserLoginLinkPath {
        tenant,
        user: bob.user,
    };
    let link = ada.asks(http::Method::POST, &path.to_path()).await;
    let link = link.ok::<OneTimeLink>();
    ada.deletes(&path_of(tenant, bob.user)).await.done();
    let token = token_of(&link.url);
    let visitor = app.visitor();
    let looks = LinkInspectPath {}.to_path();
    let look = visitor
        .posts(&looks, &json!({ "token": token.token }))
        .await;
    look.problem(Code::LinkInvalid);
    visitor.redeems(token).await.problem(Code::LinkInvalid);
}

#[tokio::test]
async fn plain_members_do_not_see_the_others() {
    let (app, tenant, _) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    for path in [
        UsersPath { tenant }.to_path(),
        InvitesPath { tenant }.to_path(),
    ] {
        bob.gets(&path).await.problem(Code::Forbidden);
    }
    let eve = app.member(tenant, "eve", Role::BillingAdmin).await;
    eve.gets(&UsersPath { tenant }.to_path()).await.done();
}
