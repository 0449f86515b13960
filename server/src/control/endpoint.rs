//! What nodes may ask for inside their connection: a closed list.

use http::Method;

/// An endpoint. Those that are not served answer as clients are known to bear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Joining, signing in, rotating, logging out.
    Register,
    /// The netmap, and reports of presence.
    Map,
    /// Which machine am I?
    Whoami,
    /// Reports of health: taken and forgotten.
    UpdateHealth,
    /// Whether a feature may be switched on.
    FeatureQuery,
    /// ACME records for certificates of nodes.
    SetDns,
    /// Attributes of posture.
    SetDeviceAttr,
    /// The client's own audit log.
    AuditLog,
    /// Tokens that prove who a node is.
    IdToken,
    /// Sign-in to a node's web interface.
    WebClient,
    /// Signatures over node keys.
    TailnetLock,
    /// Checks before an SSH session.
    SshAction,
}

/// What a path and a method come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// An endpoint.
    For(Endpoint),
    /// The path takes another method.
    WrongMethod(&'static str),
    /// Nothing is here: also every reply to questions that we never ask.
    Nothing,
}

/// Looks at the path only, never at the authority: clients invent one.
pub(super) fn asked(method: &Method, path: &str) -> Asked {
    let Some((wants, endpoint)) = path.strip_prefix("/machine/").and_then(find) else {
        return Asked::Nothing;
    };
    if wants == method.as_str() || wants == ANY {
        Asked::For(endpoint)
    } else {
        Asked::WrongMethod(wants)
    }
}

const ANY: &str = "*";

fn find(rest: &str) -> Option<(&'static str, Endpoint)> {
    Some(match rest {
        "register" => ("POST", Endpoint::Register),
        "map" => ("POST", Endpoint::Map),
        "whoami" => ("GET", Endpoint::Whoami),
        "update-health" => ("POST", Endpoint::UpdateHealth),
        "feature/query" => ("POST", Endpoint::FeatureQuery),
        "set-dns" => ("POST", Endpoint::SetDns),
        "set-device-attr" => ("PATCH", Endpoint::SetDeviceAttr),
        "audit-log" => ("POST", Endpoint::AuditLog),
        "id-token" => ("POST", Endpoint::IdToken),
        _ if rest.starts_with("webclient/") => ("POST", Endpoint::WebClient),
        // These are GETs with a body.
        _ if rest.starts_with("tka/") => (ANY, Endpoint::TailnetLock),
        _ if rest.starts_with("ssh/action/") => ("GET", Endpoint::SshAction),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_endpoint_has_its_path_and_method() {
        use Endpoint as E;
        for (method, path, endpoint) in [
            ("POST", "/machine/register", E::Register),
            ("POST", "/machine/map", E::Map),
            ("GET", "/machine/whoami", E::Whoami),
            ("POST", "/machine/update-health", E::UpdateHealth),
            ("POST", "/machine/feature/query", E::FeatureQuery),
            ("POST", "/machine/set-dns", E::SetDns),
            ("PATCH", "/machine/set-device-attr", E::SetDeviceAttr),
            ("POST", "/machine/audit-log", E::AuditLog),
            ("POST", "/machine/id-token", E::IdToken),
            ("POST", "/machine/webclient/init", E::WebClient),
            ("GET", "/machine/tka/bootstrap", E::TailnetLock),
            ("GET", "/machine/tka/sync/offer", E::TailnetLock),
            ("GET", "/machine/ssh/action/1/to/2", E::SshAction),
        ] {
            let method = method.parse().unwrap();
            assert_eq!(asked(&method, path), Asked::For(endpoint), "{path}");
        }
    }

    #[test]
    fn other_paths_are_nothing_and_other_methods_are_told() {
        for path in [
            "/",
            "/machine",
            "/machine/",
            "/machine/mapx",
            "/key",
            "//machine/map",
        ] {
            assert_eq!(asked(&Method::POST, path), Asked::Nothing, "{path}");
        }
        let wrong = asked(&Method::GET, "/machine/register");
        assert_eq!(wrong, Asked::WrongMethod("POST"));
        let reply = asked(&Method::HEAD, "/machine/c2n/1");
        assert_eq!(reply, Asked::Nothing);
    }
}
