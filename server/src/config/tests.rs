use super::*;

fn from(text: &str, env: &[(&str, &str)]) -> Result<Config, ConfigError> {
    load_from(
        text,
        env.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())),
    )
}

#[test]
fn nothing_set_serves_this_machine_over_plain_http() {
    let config = from("", &[]).unwrap();
    assert!(!config.uses_tls());
    assert_eq!(config.public_url(), "http://127.0.0.1:8080");
    assert_eq!(config.public_host(), "127.0.0.1");
}

#[test]
fn any_other_address_speaks_tls() {
    let config = from("", &[("WARREN_HTTP__LISTEN", "203.0.113.10:443")]).unwrap();
    assert!(config.uses_tls());
    assert_eq!(config.public_url(), "https://203.0.113.10");
}

#[test]
fn the_environment_wins_over_the_file() {
    let config = from(
        "[relay]\nstun_ports = [1, 2]\n[http]\nlisten = \"127.0.0.1:1\"",
        &[
            ("WARREN_RELAY__STUN_PORTS", "[7, 8]"),
            ("WARREN_DATA_DIR", "/tmp/w"),
        ],
    )
    .unwrap();
    assert_eq!(config.relay.stun_ports, [7, 8]);
    assert_eq!(config.http.listen.port(), 1);
    assert_eq!(config.sqlite_file(), Some("/tmp/w/warren.db".into()));
}

#[test]
fn every_problem_is_listed_at_once() {
    let refusal = from(
        "[tls]\ncert_file = \"/none\"\n[http]\npublic_url = \"http://example.com\"\n\
         [database]\nurl = \"mysql://x\"\n[relay]\nstun_ports = [5, 5]",
        &[],
    )
    .unwrap_err();
    let text = refusal.to_string();
    for key in [
        "tls.key_file",
        "http.public_url",
        "database.url",
        "relay.stun_ports",
    ] {
        assert!(text.contains(key), "{key} in {text}");
    }
}

#[test]
fn an_unknown_key_is_named() {
    let text = from("[http]\nlisten_on = \"x\"", &[])
        .unwrap_err()
        .to_string();
    assert!(text.contains("listen_on"), "{text}");
}
