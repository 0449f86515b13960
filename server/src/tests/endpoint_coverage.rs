//! Which routes exist, and what each answers somebody who is not signed in.

use std::{collections::BTreeSet, fmt::Write as _};

use http::Method;
use wire::api::problem::Code;

use super::routes::{self, Ids, Needs};
use crate::testing::TestApp;

/// The paths of the assembled router, whoever mounted them.
fn mounted(app: &TestApp) -> BTreeSet<String> {
    let shown = format!("{:?}", app.router);
    let paths: BTreeSet<String> = shown
        .split('"')
        .filter(|piece| piece.starts_with('/') && !piece.contains("__private"))
        .map(str::to_owned)
        .collect();
    assert!(
        paths.contains("/health"),
        "the router shows no paths: {shown}"
    );
    paths
}

/// The templates of `wire::paths`, read from its text: a new one cannot be forgotten.
fn templates() -> BTreeSet<String> {
    include_str!("../../../crates/wire/src/paths.rs")
        .split('"')
        .filter(|piece| piece.starts_with("/api/v1/") && !piece.contains(' '))
        .filter(|piece| !piece.contains("00000000"))
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_path_of_the_api_is_mounted_and_walked_by_the_suites() {
    let app = TestApp::new().await;
    let mounted: BTreeSet<_> = mounted(&app)
        .into_iter()
        .filter(|path| path.starts_with("/api/"))
        .collect();
    let walked: BTreeSet<_> = routes::all()
        .iter()
        .map(|route| route.template.to_owned())
        .collect();
    assert_eq!(mounted, templates());
    assert_eq!(mounted, walked);
}

#[tokio::test]
async fn the_suites_walk_every_method_of_every_path() {
    let app = TestApp::new().await;
    let walked: BTreeSet<_> = routes::all().iter().map(routes::Route::name).collect();
    let visitor = app.visitor();
    for template in templates() {
        let path = template.replace(['{', '}'], "");
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let answer = visitor.asks(method.clone(), &path).await;
            let is_there = answer.status != http::StatusCode::METHOD_NOT_ALLOWED;
            let name = format!("{method} {template}");
            assert_eq!(is_there, walked.contains(&name), "{name}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn who_is_not_signed_in_is_asked_to_before_anything_is_read() {
    let app = TestApp::new().await;
    let visitor = app.visitor();
    let ids = Ids::nowhere();
    for route in routes::all() {
        let answer = route.asked_by(&visitor, &ids).await;
        match route.needs {
            Needs::Nothing => answer.problem(Code::LinkInvalid),
            Needs::SignIn | Needs::Role => answer.problem(Code::Unauthenticated),
        };
        if route.method.is_safe() || route.needs == Needs::Nothing {
            continue;
        }
        // A body that cannot be read, or that is far too large, is not looked at.
        let huge = visitor
            .request(route.method.clone(), &route.path(&ids))
            .header("content-type", "application/json")
            .header("content-length", "99999999")
            .body(axum::body::Body::from("{"))
            .unwrap();
        visitor.sends(huge).await.problem(Code::Unauthenticated);
    }
}

/// What the whole server answers without a session: the allow-list. A new line
/// here is a door that is open to everybody.
#[tokio::test]
async fn what_is_open_to_everybody() {
    let agent = tempfile::NamedTempFile::new().unwrap();
    let app = TestApp::with(|config| config.install.agent = Some(agent.path().to_owned())).await;
    let mut open = String::new();
    for template in mounted(&app) {
        let path = template.replace(['{', '}'], "");
        for method in [
            Method::GET,
            Method::POST,
            Method::PUT,
            Method::PATCH,
            Method::DELETE,
        ] {
            let mut visitor = app.visitor();
            visitor.remote.set_ip([203, 0, 113, 7].into());
            let answer = visitor.asks(method.clone(), &path).await;
            if !matches!(answer.status.as_u16(), 401 | 405) {
                writeln!(open, "{method} {template} {}", answer.status.as_u16()).unwrap();
            }
        }
    }
    for path in [
        "/",
        "/sign-in",
        "/absent.js",
        "/api/v1/absent",
        "/api/v2/me",
        "/metrics",
    ] {
        let answer = app.visitor().gets(path).await;
        writeln!(open, "GET {path} (no route) {}", answer.status.as_u16()).unwrap();
    }
    insta::assert_snapshot!(open);
}

#[tokio::test]
async fn every_answer_of_the_api_forbids_to_be_kept_framed_or_guessed() {
    let app = TestApp::new().await;
    let visitor = app.visitor();
    for route in routes::all() {
        let answer = route.asked_by(&visitor, &Ids::nowhere()).await;
        for (name, value) in [
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
        ] {
            assert_eq!(answer.headers[name], value, "{}", route.name());
        }
        let csp = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(csp.contains("frame-ancestors 'none'"));
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
    }
}
