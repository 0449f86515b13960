//! The server's URL.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Serialize};

/// Where the server is: `https://HOST[:PORT]`, or `http://` on this machine alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ServerUrl {
    tls: bool,
    /// Without brackets.
    host: String,
    port: u16,
}

/// Why a URL was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// Not `https://HOST[:PORT]`.
    #[error("`{0}` is not a server's URL; it looks like https://warren.example.com")]
    Form(String),
    /// Plain HTTP to another machine.
    #[error("`{0}` is not safe: plain http works for a server on this machine only; use https")]
    Insecure(String),
}

impl ServerUrl {
    /// The host, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Whether connections are TLS.
    pub const fn is_tls(&self) -> bool {
        self.tls
    }

    /// As in a `Host` header: the port only where it is not the scheme's own.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') {
            format!("[{}]", self.host)
        } else {
            self.host.clone()
        };
        if self.port == default_port(self.tls) {
            host
        } else {
            format!("{host}:{}", self.port)
        }
    }

    fn is_loopback(&self) -> bool {
        match self.host.parse::<IpAddr>() {
            Ok(addr) => addr.is_loopback(),
            Err(_) => self.host == "localhost",
        }
    }
}

const fn default_port(tls: bool) -> u16 {
    if tls { 443 } else { 80 }
}

impl FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        let form = || UrlError::Form(text.to_owned());
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let uri: http::Uri = whole.trim().parse().map_err(|_| form())?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(form()),
        };
        let authority = uri.authority().ok_or_else(form)?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        let host = authority.host().trim_matches(['[', ']']).to_lowercase();
        let port = match authority.as_str().strip_prefix(authority.host()) {
            Some("") => default_port(tls),
            Some(port) => port
                .strip_prefix(':')
                .and_then(|p| p.parse().ok())
                .ok_or_else(form)?,
            None => return Err(form()),
        };
        if !bare || host.is_empty() || port == 0 {
            return Err(form());
        }
        let url = Self { tls, host, port };
        if !tls && !url.is_loopback() {
            return Err(UrlError::Insecure(text.to_owned()));
        }
        Ok(url)
    }
}

impl TryFrom<String> for ServerUrl {
    type Error = UrlError;

    fn try_from(text: String) -> Result<Self, UrlError> {
        text.parse()
    }
}

impl From<ServerUrl> for String {
    fn from(url: ServerUrl) -> Self {
        url.to_string()
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(url: &str) -> Result<String, UrlError> {
        url.parse::<ServerUrl>().map(|u| u.to_string())
    }

    #[test]
    fn urls_have_one_spelling() {
        for (given, kept) in [
            ("warren.example.com", "https://warren.example.com"),
            (
                "https://Warren.Example.com:443/",
                "https://warren.example.com",
            ),
            ("https://192.0.2.1:8443", "https://192.0.2.1:8443"),
            ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://localhost", "http://localhost"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(text(given).as_deref(), Ok(kept), "{given}");
        }
    }

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for url in ["http://192.0.2.1:8080", "http://warren.example.com"] {
            assert_eq!(text(url), Err(UrlError::Insecure(url.to_owned())));
        }
    }

    #[test]
    fn what_is_no_server_url_is_refused() {
        for url in [
            "",
            "https://",
            "ftp://warren.example.com",
            "https://user@warren.example.com",
            "https://warren.example.com/path",
            "https://warren.example.com/?q=1",
            "https://warren.example.com:99999",
            "https://warren.example.com:0",
            "two words",
        ] {
            assert_eq!(text(url), Err(UrlError::Form(url.to_owned())), "{url}");
        }
    }
}
