//! The commands that bring a machine into the network, ready to be pasted.

use wire::api::server::ServerInfo;

/// How the machine proves itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// By an auth key.
    AuthKey(String),
    /// A person signs in by the link that the command prints.
    Browser,
}

/// Installs the agent and joins; `None` when the server has no agent to give.
pub(crate) fn install_and_join(server: &ServerInfo, proof: &Proof) -> Option<String> {
    let install = match (&server.install_command, &server.install_url) {
        (Some(command), _) => command.clone(),
        // Without a public certificate, only the server knows how to be proved.
        (None, Some(url)) if server.ca_sha256.is_none() => {
            format!("curl -fsSL {} | sh -s --", quoted(url))
        }
        (None, _) => return None,
    };
    Some(format!("{install} {}", up(server, proof)))
}

/// Joins with the agent that is installed already.
pub(crate) fn join(server: &ServerInfo, proof: &Proof) -> String {
    format!("warren {}", up(server, proof))
}

fn up(server: &ServerInfo, proof: &Proof) -> String {
    let mut words = vec!["up".to_owned(), "--server".to_owned(), quoted(&server.url)];
    if let Some(digest) = &server.ca_sha256 {
        words.extend(["--server-ca-sha256".to_owned(), quoted(digest)]);
    }
    if let Proof::AuthKey(secret) = proof {
        words.extend(["--auth-key".to_owned(), quoted(secret)]);
    }
    words.join(" ")
}

/// Joins with Tailscale's own client.
pub(crate) fn tailscale(server: &ServerInfo, proof: &Proof) -> String {
    let mut line = format!("tailscale up --login-server {}", quoted(&server.url));
    if let Proof::AuthKey(secret) = proof {
        line.push_str(" --auth-key ");
        line.push_str(&quoted(secret));
    }
    line
}

/// Shows the digest of a downloaded `ca.pem`, to be compared.
pub(crate) const CA_DIGEST: &str = "openssl x509 -in ca.pem -outform der | sha256sum";

/// A word for a shell: bare when nothing in it means anything to a shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server() -> ServerInfo {
        ServerInfo {
            version: "0.1.0".to_owned(),
            url: "https://192.0.2.1:8443".to_owned(),
            ca_sha256: None,
            install_url: None,
            install_command: None,
        }
    }

    fn key() -> Proof {
        Proof::AuthKey("warren_auth_abc".to_owned())
    }

    #[test]
    fn the_command_installs_and_joins_in_one_line() {
        let mut server = server();
        server.ca_sha256 = Some("ab12".to_owned());
        server.install_command = Some("curl -k 'pin' URL/install.sh | sh -s --".to_owned());
        assert_eq!(
            install_and_join(&server, &key()).unwrap(),
            "curl -k 'pin' URL/install.sh | sh -s -- up --server https://192.0.2.1:8443 \
             --server-ca-sha256 ab12 --auth-key warren_auth_abc"
        );
    }

    #[test]
    fn a_script_that_cannot_be_proved_is_not_offered() {
        let mut server = server();
        server.install_url = Some("https://192.0.2.1/install.sh".to_owned());
        assert!(install_and_join(&server, &key()).is_some());
        server.ca_sha256 = Some("ab12".to_owned());
        assert_eq!(install_and_join(&server, &key()), None);
        server.install_url = None;
        assert_eq!(install_and_join(&server, &key()), None);
    }

    #[test]
    fn without_a_key_the_person_signs_in() {
        assert_eq!(
            join(&server(), &Proof::Browser),
            "warren up --server https://192.0.2.1:8443"
        );
        assert_eq!(
            tailscale(&server(), &key()),
            "tailscale up --login-server https://192.0.2.1:8443 --auth-key warren_auth_abc"
        );
    }

    #[test]
    fn a_word_cannot_leave_its_quotes() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("a'; rm -rf /"), r"'a'\''; rm -rf /'");
        assert_eq!(quoted(""), "''");
    }
}
