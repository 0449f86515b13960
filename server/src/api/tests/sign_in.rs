use std::time::Duration;

use futures_util::future::join_all;
use http::header;
use wire::api::{
    me::Me,
    session::{LinkInfo, RedeemLink},
};

use super::*;
use crate::{
    act,
    error::Error,
    login,
    testing::{almost, operator, token_of},
};

const SECOND: Duration = Duration::from_secs(1);

fn me() -> String {
    MePath {}.to_path()
}

async fn set_up_link(app: &TestApp) -> RedeemLink {
    let link = login::setup_link(&app.app).await.unwrap();
    RedeemLink {
        email: Some("Ada@Acme.example".to_owned()),
        display_name: Some("Ada".to_owned()),
        tenant_name: Some("Acme, Inc.".to_owned()),
        ..token_of(&link.url)
    }
}

async fn login_link(app: &TestApp, email: &str) -> RedeemLink {
    let link = login::login_link(&app.app, &operator(), &email.parse().unwrap()).await;
    token_of(&link.unwrap().url)
}

async fn inspect(who: &Persona, link: &RedeemLink) -> crate::testing::Answer {
    let body = json!({ "token": link.token });
    who.posts(&LinkInspectPath {}.to_path(), &body).await
}

#[tokio::test]
async fn the_set_up_link_makes_the_first_owner_and_tenant_and_then_no_more() {
    for app in TestApp::on_each_database().await {
        let link = set_up_link(&app).await;
        let ada = app.visitor();
        let shown = inspect(&ada, &link).await.ok::<LinkInfo>();
        assert!(matches!(shown, LinkInfo::Setup { .. }));
        let made = ada.redeems(link.clone()).await.ok::<Me>();
        assert_eq!(made.email, "ada@acme.example");
        let membership = &made.memberships[0];
        assert_eq!(
            (
                membership.slug.as_str(),
                membership.name.as_str(),
                membership.role
            ),
            ("acme-inc", "Acme, Inc.", Role::Owner)
        );
        assert_eq!(ada.gets(&me()).await.ok::<Me>(), made);
        app.visitor().redeems(link).await.problem(Code::LinkInvalid);
        let refused = login::setup_link(&app.app).await;
        assert!(matches!(refused, Err(Error::Malformed(_))));
        assert_eq!(
            audited(&ada, membership.tenant, 9).await,
            [
                record("user.signed_in", "ada@acme.example"),
                record("user.created", "ada@acme.example"),
                record("tenant.created", "acme-inc"),
            ]
        );
    }
}

#[tokio::test]
async fn a_set_up_that_lacks_something_says_what_and_the_link_still_works() {
    let app = TestApp::new().await;
    let link = set_up_link(&app).await;
    let without = |strip: fn(&mut RedeemLink)| {
        let mut link = link.clone();
        strip(&mut link);
        link
    };
    let visitor = app.visitor();
    for (link, pointer) in [
        (without(|l| l.email = None), "/email"),
        (without(|l| l.email = Some("ada".to_owned())), "/email"),
        (without(|l| l.tenant_name = None), "/tenant_name"),
        (
            without(|l| l.tenant_name = Some(" ".to_owned())),
            "/tenant_name",
        ),
        (
            without(|l| l.display_name = Some("\n".repeat(3) + "a\nb")),
            "/display_name",
        ),
    ] {
        let problem = visitor.redeems(link).await.problem(Code::Invalid);
        assert_eq!(problem.errors[0].pointer, pointer);
    }
    visitor.redeems(link).await.done();
}

#[tokio::test]
async fn a_set_up_link_works_for_a_quarter_of_an_hour_and_only_the_newest() {
    let app = TestApp::new().await;
    let first = set_up_link(&app).await;
    let second = set_up_link(&app).await;
    let visitor = app.visitor();
    inspect(&visitor, &first).await.problem(Code::LinkInvalid);
    app.clock.advance(almost(Duration::from_mins(15)));
    inspect(&visitor, &second).await.done();
    app.clock.advance(SECOND);
    inspect(&visitor, &second).await.problem(Code::LinkInvalid);
    visitor.redeems(second).await.problem(Code::LinkInvalid);
    visitor.redeems(set_up_link(&app).await).await.done();
}

#[tokio::test]
async fn of_many_who_use_a_link_at_once_one_gets_in() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        app.member(tenant, "ada", Role::Owner).await;
        for _ in 0..3 {
            let link = login_link(&app, "ada@acme.example").await;
            let askers = (0..32).map(|number| {
                let mut asker = app.visitor();
                asker.remote.set_ip([198, 51, number, 1].into());
                let link = link.clone();
                async move { asker.redeems(link).await }
            });
            let answers = join_all(askers).await;
            let (got_in, others): (Vec<_>, Vec<_>) =
                answers.into_iter().partition(|a| a.status.is_success());
            assert_eq!(got_in.len(), 1);
            for other in others {
                other.problem(Code::LinkInvalid);
                assert!(!other.headers.contains_key(header::SET_COOKIE));
            }
        }
    }
}

#[tokio::test]
async fn a_sign_in_link_is_for_one_person_and_lasts_an_hour() {
    let (app, _, _) = acme().await;
    let link = login_link(&app, "ada@acme.example").await;
    let visitor = app.visitor();
    let shown = inspect(&visitor, &link).await.ok::<LinkInfo>();
    assert!(matches!(shown, LinkInfo::Login { email, .. } if email == "ada@acme.example"));
    app.clock.advance(Duration::from_hours(1));
    visitor.redeems(link).await.problem(Code::LinkInvalid);
    let nobody = "nobody@acme.example".parse().unwrap();
    let refused = login::login_link(&app.app, &operator(), &nobody).await;
    assert!(matches!(refused, Err(Error::NotFound)));
}

#[tokio::test]
async fn an_id_from_before_sign_in_is_worth_nothing_after_it() {
    let (app, _, _) = acme().await;
    let victim = app.visitor();
    // An attacker's id in the victim's browser.
    let planted = "warren-sid=AAAAAAAAAAAAAAAAAAAAAA".to_owned();
    victim.holds(Some(planted.clone()));
    let link = login_link(&app, "ada@acme.example").await;
    victim.redeems(link).await.done();
    let first = victim.cookie().unwrap();
    assert_ne!(first, planted);
    let attacker = app.visitor();
    attacker.holds(Some(planted));
    attacker.gets(&me()).await.problem(Code::Unauthenticated);
    // A second sign-in gives another id and ends the first.
    let link = login_link(&app, "ada@acme.example").await;
    victim.redeems(link).await.done();
    assert_ne!(victim.cookie().unwrap(), first);
    attacker.holds(Some(first));
    attacker.gets(&me()).await.problem(Code::Unauthenticated);
    victim.gets(&me()).await.done();
}

#[tokio::test]
async fn a_session_ends_twelve_hours_after_its_last_use() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        let idle = Duration::from_hours(12);
        app.clock.advance(almost(idle));
        ada.gets(&me()).await.done();
        app.clock.advance(almost(idle));
        ada.gets(&me()).await.done();
        app.clock.advance(idle);
        ada.gets(&me()).await.problem(Code::Unauthenticated);
        ada.gets(&me()).await.problem(Code::Unauthenticated);
    }
}

#[tokio::test]
async fn a_session_ends_after_seven_days_whatever_happens() {
    let (app, _, ada) = acme().await;
    let step = Duration::from_hours(8);
    for _ in 0..20 {
        app.clock.advance(step);
        ada.gets(&me()).await.done();
    }
    app.clock.advance(almost(step));
    ada.gets(&me()).await.done();
    app.clock.advance(SECOND);
    ada.gets(&me()).await.problem(Code::Unauthenticated);
}

#[tokio::test]
async fn what_has_ended_is_cleared_away_and_nothing_else() {
    for app in TestApp::on_each_database().await {
        let tenant = app.tenant("acme").await;
        let ada = app.member(tenant, "ada", Role::Owner).await;
        app.clock.advance(almost(Duration::from_hours(12)));
        let eve = app.member(tenant, "eve", Role::Owner).await;
        let open = login_link(&app, "eve@acme.example").await;
        // The link that ada came with has ended.
        assert_eq!(login::upkeep::sweep(&app.app).await.unwrap(), 1);
        app.clock.advance(SECOND * 2);
        assert_eq!(login::upkeep::sweep(&app.app).await.unwrap(), 1);
        ada.gets(&me()).await.problem(Code::Unauthenticated);
        eve.gets(&me()).await.done();
        app.visitor().redeems(open).await.done();
        assert_eq!(login::upkeep::sweep(&app.app).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn who_signs_out_is_out_and_the_old_cookie_with_him() {
    let (app, tenant, ada) = acme().await;
    let eve = app.member(tenant, "eve", Role::Owner).await;
    let held = ada.cookie();
    ada.deletes(&SessionPath {}.to_path()).await.done();
    assert_eq!(ada.cookie(), None);
    ada.holds(held);
    ada.gets(&me()).await.problem(Code::Unauthenticated);
    let again = ada.deletes(&SessionPath {}.to_path()).await;
    again.problem(Code::Unauthenticated);
    assert_eq!(
        audited(&eve, tenant, 1).await,
        [record("user.signed_out", "ada@acme.example")]
    );
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
    let set_cookie = async |app: TestApp| {
        let tenant = app.tenant("acme").await;
        app.member(tenant, "ada", Role::Owner).await;
        let link = login_link(&app, "ada@acme.example").await;
        let answer = app.visitor().redeems(link).await;
        let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
        let mut parts: Vec<_> = cookie.split("; ").map(str::to_owned).collect();
        let (name, id) = parts[0].split_once('=').unwrap();
        assert_eq!(id.len(), 22, "128 bits");
        parts[0] = name.to_owned();
        parts.sort();
        parts.join("; ")
    };
    assert_eq!(
        set_cookie(TestApp::new().await).await,
        "HttpOnly; Max-Age=604800; Path=/; SameSite=Lax; warren-sid"
    );
    let secure = TestApp::with(|config| {
        config.http.public_url = Some("https://warren.example".to_owned());
    });
    assert_eq!(
        set_cookie(secure.await).await,
        "HttpOnly; Max-Age=604800; Path=/; SameSite=Lax; Secure; __Host-sid"
    );
}

#[tokio::test]
async fn a_browser_that_speaks_tls_is_told_to_forget_the_cookie_in_a_way_that_it_heeds() {
    let app = TestApp::with(|config| {
        config.http.public_url = Some("https://warren.example".to_owned());
    })
    .await;
    let tenant = app.tenant("acme").await;
    let ada = app.member(tenant, "ada", Role::Owner).await;
    let answer = ada.deletes(&SessionPath {}.to_path()).await;
    let cookie = answer.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-sid=;"), "{cookie}");
    for attribute in ["; Path=/", "; Max-Age=0", "; Secure"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
}

#[tokio::test]
async fn an_address_that_tries_many_links_has_to_wait() {
    let (app, _, _) = acme().await;
    let made_up = RedeemLink {
        token: "warren_login_x_y_z".to_owned(),
        display_name: None,
        email: None,
        tenant_name: None,
    };
    let visitor = app.visitor();
    for _ in 0..5 {
        let answer = visitor.redeems(made_up.clone()).await;
        answer.problem(Code::LinkInvalid);
        inspect(&visitor, &made_up).await.problem(Code::LinkInvalid);
    }
    let stopped = visitor.redeems(made_up.clone()).await;
    stopped.problem(Code::TooMany);
    assert!(stopped.headers.contains_key(header::RETRY_AFTER));
    let mut other = app.visitor();
    other.remote.set_ip([203, 0, 113, 1].into());
    other.redeems(made_up).await.problem(Code::LinkInvalid);
}

#[tokio::test]
async fn an_auth_key_is_no_link() {
    let (app, tenant, ada) = acme().await;
    let made = act::auth_key::create(
        &app.app,
        &operator(),
        tenant,
        ada.user,
        serde_json::from_value(json!({})).unwrap(),
    )
    .await;
    let link = RedeemLink {
        token: made.unwrap().secret,
        display_name: None,
        email: None,
        tenant_name: None,
    };
    let visitor = app.visitor();
    inspect(&visitor, &link).await.problem(Code::LinkInvalid);
    visitor.redeems(link).await.problem(Code::LinkInvalid);
}

#[tokio::test]
async fn somebody_who_asks_too_much_has_to_wait() {
    let (app, tenant, ada) = acme().await;
    for _ in 0..200 {
        ada.gets(&me()).await.done();
    }
    ada.gets(&me()).await.problem(Code::TooMany);
    app.clock.advance(Duration::from_millis(50));
    ada.gets(&me()).await.done();
    ada.gets(&me()).await.problem(Code::TooMany);
    let eve = app.member(tenant, "eve", Role::Owner).await;
    eve.gets(&me()).await.done();
}
