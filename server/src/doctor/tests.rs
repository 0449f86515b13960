use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::{clock::SystemClock, config::load_from};

async fn of(env: &[(&str, &str)]) -> Vec<Finding> {
    let env = env
        .iter()
        .map(|(k, v)| (format!("WARREN_{k}"), (*v).to_owned()));
    let config = load_from("", env).unwrap();
    examine(&config, Arc::new(SystemClock)).await
}

fn says<'a>(found: &'a [Finding], about: &str) -> &'a Finding {
    found.iter().find(|f| f.about == about).unwrap()
}

#[tokio::test]
async fn a_fresh_machine_is_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let found = of(&[
        ("DATA_DIR", data.to_str().unwrap()),
        ("HTTP__LISTEN", "127.0.0.1:0"),
        ("RELAY__LISTEN", "127.0.0.1:0"),
    ])
    .await;
    for about in ["data_dir", "http.listen", "database.url", "clock"] {
        let finding = says(&found, about);
        assert_eq!(finding.verdict, Verdict::Good, "{finding:?}");
    }
    assert!(!data.exists(), "looking made nothing");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(dir.path().join("warren.db"), "").unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let found = of(&[
        ("DATA_DIR", dir.path().to_str().unwrap()),
        ("HTTP__LISTEN", &taken.local_addr().unwrap().to_string()),
        ("HTTP__PUBLIC_URL", "https://warren.example"),
        ("HTTP__TRUSTED_PROXIES", "[\"0.0.0.0/0\"]"),
    ])
    .await;
    for (about, word) in [
        ("data_dir", "chmod 700"),
        ("key file", "missing"),
        ("http.listen", "another program"),
        ("http.trusted_proxies", "everybody"),
    ] {
        let finding = says(&found, about);
        assert_eq!(finding.verdict, Verdict::Bad, "{finding:?}");
        assert!(finding.says.contains(word), "{finding:?}");
    }
}

#[tokio::test]
async fn a_certificate_for_another_name_is_found() {
    let dir = tempfile::tempdir().unwrap();
    let about = crate::tls::material::About {
        names: vec!["other.example".into()],
        not_after: SystemClock
            .now()
            .plus(std::time::Duration::from_hours(24 * 90)),
    };
    let made = crate::tls::material::self_signed(&about, SystemClock.now()).unwrap();
    made.keep(dir.path(), "made", &about).unwrap();
    let file = dir.path().join("made.pem");
    let file = file.to_str().unwrap();
    for (url, verdict) in [
        ("https://other.example", Verdict::Good),
        ("https://warren.example", Verdict::Bad),
    ] {
        let found = of(&[
            ("DATA_DIR", dir.path().to_str().unwrap()),
            ("HTTP__LISTEN", "127.0.0.1:0"),
            ("HTTP__PUBLIC_URL", url),
            ("TLS__CERT_FILE", file),
            ("TLS__KEY_FILE", file),
        ])
        .await;
        let finding = says(&found, "tls.cert_file");
        assert_eq!(finding.verdict, verdict, "{finding:?}");
    }
}
