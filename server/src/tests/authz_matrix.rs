//! Every role at every route: allowed or refused.

use std::fmt::Write as _;

use wire::api::{Role, problem::Code};

use super::routes::{self, Ids, Needs};
use crate::testing::TestApp;

#[tokio::test]
async fn every_role_at_every_route() {
    let app = TestApp::new().await;
    let tenant = app.tenant("acme").await;
    // Ids of nothing: what is allowed finds nothing and harms nobody.
    let ids = Ids {
        tenant,
        ..Ids::nowhere()
    };
    let mut personas = Vec::new();
    for role in Role::ALL {
        personas.push(
            app.member(tenant, role.as_str().replace('_', "-").as_str(), role)
                .await,
        );
    }
    let mut table = String::new();
    let routes = routes::all();
    for route in routes.iter().filter(|r| r.needs == Needs::Role) {
        let mut line = format!("{:<70}", route.name());
        for (role, persona) in Role::ALL.iter().zip(&personas) {
            let request = persona.request(route.method.clone(), &route.path(&ids));
            let allowed = if route.is_stream() {
                let request = request.body(axum::body::Body::empty()).unwrap();
                persona.opens(request).await.status().is_success()
            } else {
                let answer = route.asked_by(persona, &ids).await;
                if answer.status == http::StatusCode::FORBIDDEN {
                    answer.problem(Code::Forbidden);
                    false
                } else {
                    assert_ne!(answer.status, http::StatusCode::UNAUTHORIZED);
                    assert!(!answer.status.is_server_error(), "{answer:?}");
                    true
                }
            };
            let word = if allowed { role.as_str() } else { "-" };
            write!(line, " {word:<14}").unwrap();
        }
        writeln!(table, "{}", line.trim_end()).unwrap();
    }
    insta::assert_snapshot!(table);
}
