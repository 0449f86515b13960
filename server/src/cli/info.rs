//! `warren-server info`, and the command that joins a machine.

use wire::api::server::ServerInfo;

use crate::admin::Request;

pub(super) fn request() -> Request {
    Request::Server
}

pub(super) fn told(info: &ServerInfo) -> String {
    let mut lines = vec![
        format!("version     {}", info.version),
        format!("url         {}", info.url),
    ];
    lines.extend(info.ca_sha256.as_ref().map(|d| format!("CA SHA-256  {d}")));
    if let Some(install) = &info.install_command {
        lines.push(format!("install     {install}"));
    }
    lines.push(format!("join        {}", join(info, None)));
    lines.join("\n")
}

/// What to type on a machine that has the agent.
pub(super) fn join(info: &ServerInfo, auth_key: Option<&str>) -> String {
    let mut words = vec![format!("warren up --server {}", info.url)];
    words.extend(
        info.ca_sha256
            .as_ref()
            .map(|d| format!("--server-ca-sha256 {d}")),
    );
    words.extend(auth_key.map(|key| format!("--auth-key {key}")));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_join_command_names_what_the_machine_must_know() {
        let info = ServerInfo {
            version: "1".into(),
            url: "https://w.example".into(),
            ca_sha256: Some("ab".into()),
            install_url: None,
            install_command: None,
        };
        assert_eq!(
            join(&info, Some("k")),
            "warren up --server https://w.example --server-ca-sha256 ab --auth-key k"
        );
    }
}
