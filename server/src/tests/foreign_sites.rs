//! Requests that another site makes with a signed-in person's browser.

use axum::body::Body;
use http::{Request, header};
use wire::api::{Role, problem::Code};

use super::routes::{self, Ids};
use crate::testing::{Persona, TestApp};

/// Headers that a page of another origin can bring a browser to send.
const FOREIGN: [&[(&str, &str)]; 7] = [
    &[],
    &[("x-warren-console", "1")],
    &[("sec-fetch-site", "cross-site"), ("x-warren-console", "1")],
    &[("sec-fetch-site", "same-site"), ("x-warren-console", "1")],
    &[("sec-fetch-site", "none"), ("x-warren-console", "1")],
    &[("sec-fetch-site", "same-origin")],
    &[("origin", "http://evil.example"), ("x-warren-console", "1")],
];

fn request(
    who: &Persona,
    route: &routes::Route,
    ids: &Ids,
    given: &[(&str, &str)],
) -> Request<Body> {
    let mut builder = Request::builder()
        .method(route.method.clone())
        .uri(route.path(ids))
        .header(header::HOST, "127.0.0.1:8080")
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::COOKIE, who.cookie().unwrap());
    for (name, value) in given {
        builder = builder.header(*name, *value);
    }
    builder.body(Body::from("{}")).unwrap()
}

#[tokio::test]
async fn another_site_changes_nothing() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let ada = app.member(tenant, "ada", Role::Owner).await;
    let ids = Ids {
        tenant,
        user: ada.user,
        ..Ids::nowhere()
    };
    let before = app.dump(tenant).await;
    let routes = routes::all();
    let unsafe_routes: Vec<_> = routes.iter().filter(|r| !r.method.is_safe()).collect();
    assert!(unsafe_routes.len() >= 17);
    for route in &unsafe_routes {
        for given in FOREIGN {
            let answer = ada.sends(request(&ada, route, &ids, given)).await;
            answer.problem(Code::CrossSite);
        }
    }
    assert_eq!(app.dump(tenant).await, before);
}

#[tokio::test]
async fn a_form_of_our_own_origin_is_not_taken_either() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let ada = app.member(tenant, "ada", Role::Owner).await;
    let ids = Ids {
        tenant,
        ..Ids::nowhere()
    };
    let before = app.dump(tenant).await;
    for route in routes::all().iter().filter(|r| !r.method.is_safe()) {
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
        ] {
            let mut form = request(
                &ada,
                route,
                &ids,
                &[("sec-fetch-site", "same-origin"), ("x-warren-console", "1")],
            );
            let headers = form.headers_mut();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            headers.insert(header::CONTENT_LENGTH, "2".parse().unwrap());
            let answer = ada.sends(form).await;
            answer.problem(Code::UnsupportedMediaType);
        }
    }
    assert_eq!(app.dump(tenant).await, before);
}

#[tokio::test]
async fn reading_changes_nothing() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    let ada = app.member(tenant, "ada", Role::Owner).await;
    let ids = Ids {
        tenant,
        user: ada.user,
        ..Ids::nowhere()
    };
    let before = app.dump(tenant).await;
    for route in routes::all() {
        if route.method.is_safe() && !route.is_stream() {
            route.asked_by(&ada, &ids).await;
        }
    }
    assert_eq!(app.dump(tenant).await, before);
}
