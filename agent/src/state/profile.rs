//! The state file's content.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::RngCore as _;
use rustls_pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use wire::{MachineKey, MachineSecret, NodeSecret};

use crate::{
    control::{Server, ServerUrl},
    tls::{self, Trust},
};

/// The format that this version writes.
pub const VERSION: u32 = 1;

/// Everything.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stored {
    /// The format.
    pub version: u32,
    /// This installation's key.
    #[serde(with = "machine_secret")]
    pub machine_key: MachineSecret,
    /// Whether the node is to be up.
    #[serde(default)]
    pub want_up: bool,
    /// The mesh that this machine joined, or was told to join.
    #[serde(default)]
    pub profile: Option<Profile>,
}

/// One membership.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    /// The server.
    pub server: ServerUrl,
    /// SHA-256 of the CA, or of the certificate, that he is known by; hex.
    #[serde(default)]
    pub ca_sha256: Option<String>,
    /// What was found for it.
    #[serde(default)]
    pub pinned: Option<Pinned>,
    /// His Noise key at the first contact.
    #[serde(default)]
    pub server_key: Option<MachineKey>,
    /// The node key that the server knows; none before the first login.
    #[serde(default, with = "node_secret")]
    pub node_key: Option<NodeSecret>,
    /// The owner's login name.
    #[serde(default)]
    pub login_name: String,
    /// The name to announce in place of the machine's own.
    #[serde(default)]
    pub hostname: Option<String>,
    /// The tags to ask for.
    #[serde(default)]
    pub tags: Vec<String>,
}

/// What a digest stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pinned {
    /// A CA: its certificate (DER, base64).
    Ca(String),
    /// The server's own certificate.
    Certificate,
}

impl Stored {
    /// The first start's.
    pub fn new() -> Self {
        Self {
            version: VERSION,
            machine_key: MachineSecret::from_bytes(random()),
            want_up: false,
            profile: None,
        }
    }
}

impl Default for Stored {
    fn default() -> Self {
        Self::new()
    }
}

/// A new node key.
pub fn new_node_key() -> NodeSecret {
    NodeSecret::from_bytes(random())
}

/// 32 random bytes.
pub fn random() -> [u8; 32] {
    let mut bytes = [0; 32];
    rand::rngs::OsRng.fill_bytes(&mut bytes);
    bytes
}

impl Profile {
    /// A membership that is only planned.
    pub fn new(server: ServerUrl) -> Self {
        Self {
            server,
            ca_sha256: None,
            pinned: None,
            server_key: None,
            node_key: None,
            login_name: String::new(),
            hostname: None,
            tags: Vec::new(),
        }
    }

    /// Keeps what was found for [`Self::ca_sha256`].
    pub fn set_trust(&mut self, trust: &Trust) {
        self.pinned = match trust {
            Trust::Ca(ca) => Some(Pinned::Ca(STANDARD.encode(ca))),
            Trust::Certificate(_) => Some(Pinned::Certificate),
            Trust::Public | Trust::Nobody => None,
        };
    }

    /// How the server's certificate is judged; `None`: the CA is still to be found.
    pub fn trust(&self) -> Option<Trust> {
        let Some(digest) = self.ca_sha256.as_deref().and_then(tls::parse_digest) else {
            return Some(Trust::Public);
        };
        match self.pinned.as_ref()? {
            Pinned::Certificate => Some(Trust::Certificate(digest)),
            Pinned::Ca(ca) => {
                let ca = STANDARD.decode(ca).ok()?;
                tls::has_digest(&ca, &digest).then(|| Trust::Ca(CertificateDer::from(ca)))
            }
        }
    }

    /// The server as the control connection takes him.
    pub fn server(&self, trust: Trust) -> Server {
        Server {
            url: self.server.clone(),
            trust,
            key: self.server_key,
        }
    }
}

mod machine_secret {
    use serde::{Deserialize as _, Deserializer as D, Serializer, de::Error as _};
    use wire::MachineSecret;

    pub(super) fn serialize<S: Serializer>(key: &MachineSecret, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&key.to_state_text())
    }

    pub(super) fn deserialize<'de, De: D<'de>>(d: De) -> Result<MachineSecret, De::Error> {
        let text = zeroize::Zeroizing::new(String::deserialize(d)?);
        MachineSecret::from_state_text(&text).map_err(De::Error::custom)
    }
}

mod node_secret {
    use serde::{Deserialize as _, Deserializer as D, Serializer, de::Error as _};
    use wire::NodeSecret;

    #[expect(clippy::ref_option, reason = "serde's signature")]
    pub(super) fn serialize<S: Serializer>(
        key: &Option<NodeSecret>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        match key {
            Some(key) => s.serialize_some(&*key.to_state_text()),
            None => s.serialize_none(),
        }
    }

    pub(super) fn deserialize<'de, De: D<'de>>(d: De) -> Result<Option<NodeSecret>, De::Error> {
        let text = Option::<String>::deserialize(d)?.map(zeroize::Zeroizing::new);
        text.map(|text| NodeSecret::from_state_text(&text).map_err(De::Error::custom))
            .transpose()
    }
}
