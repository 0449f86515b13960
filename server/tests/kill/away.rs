//! PostgreSQL dies under a running server, again and again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server_process::{Home, ask};

/// How soon acts must work again.
const RECOVERY: Duration = Duration::from_secs(5);

fn create_user(number: usize) -> Value {
    json!({"user": {"create": {
        "tenant": "acme", "email": format!("u{number}@example.com"), "name": "", "role": "member",
    }}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_outlives_its_database() {
    let Some(home) = Home::postgresql_alone() else {
        return;
    };
    let database = home.database().unwrap();
    let server = home.start().await;
    server
        .act(json!({"tenant": {"create": {"slug": "acme", "name": "Acme"}}}))
        .await;
    let mut made = 0;
    for _ in 0..5 {
        database.stop();
        let start = start();
        for _ in 0..2 {
            let answer = ask(&home.socket(), &create_user(made)).await;
            let answer = answer.expect("the server answers");
            assert_eq!(answer["Err"]["code"], "unavailable", "{answer}");
        }
        assert!(start.elapsed() < Duration::from_secs(8));
        database.start_again();
        let back = self::start();
        loop {
            let answer = ask(&home.socket(), &create_user(made)).await.unwrap();
            if answer.get("Ok").is_some() {
                break;
            }
            assert_eq!(answer["Err"]["code"], "unavailable", "{answer}");
            assert!(back.elapsed() < RECOVERY, "acts still fail: {answer}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        made += 1;
    }
    let users = server
        .act(json!({"user": {"list": {"tenant": "acme"}}}))
        .await;
    assert_eq!(users["value"].as_array().unwrap().len(), made);
    server.kill();
    let log = home.log();
    assert!(!log.contains("panicked"), "{log}");
    home.verify_audit().await;
}

#[expect(clippy::disallowed_methods, reason = "real time of a real process")]
fn start() -> Instant {
    Instant::now()
}
