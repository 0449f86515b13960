//! The server as an administrator sees it.

use serde::{Deserialize, Serialize};

/// What "Add device" needs to show the exact command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServerInfo {
    /// The release.
    pub version: String,
    /// The URL that machines use.
    pub url: String,
    /// SHA-256 of the local CA's certificate (hex of its DER form), when the server made its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_sha256: Option<String>,
    /// Where the install script is, when the server has an agent to give.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_url: Option<String>,
    /// The shell command that installs the agent, when the server has one to give; words
    /// after it are handed to `warren` (`up --server …`). It proves the server by itself,
    /// also where the certificate is of the server's own CA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub install_command: Option<String>,
}
