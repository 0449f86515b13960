//! Curve25519 keys with Tailscale's text forms.
//!
//! Each device holds three independent pairs: the machine key (its identity on
//! the control connection), the node key (WireGuard) and the disco key (path
//! discovery). Text form: a prefix and 64 lower-case hex digits; both private
//! machine and private node keys carry `privkey:`. The all-zero key is a legal
//! text and means "none". Source: `tailscale/types/key`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use x25519_dalek::{PublicKey, StaticSecret};

/// Why a key's text was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseKeyError {
    /// The prefix is missing or another kind's.
    #[error("key does not start with `{expected}`")]
    Prefix {
        /// The prefix this kind of key carries.
        expected: &'static str,
    },
    /// What follows the prefix is not 64 hex digits.
    #[error("key is not 64 hex digits after its prefix")]
    Hex,
}

fn parse_hex(text: &str, prefix: &'static str) -> Result<[u8; 32], ParseKeyError> {
    let digits = text
        .strip_prefix(prefix)
        .ok_or(ParseKeyError::Prefix { expected: prefix })?;
    let mut bytes = [0; 32];
    hex::decode_to_slice(digits, &mut bytes).map_err(|_| ParseKeyError::Hex)?;
    Ok(bytes)
}

macro_rules! public_key {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name([u8; 32]);

        impl $name {
            /// The text prefix, colon included.
            pub const PREFIX: &'static str = $prefix;
            /// The "none" key.
            pub const ZERO: Self = Self([0; 32]);

            /// From the 32 raw bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 raw bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// True for the all-zero key, which means "none".
            pub fn is_zero(&self) -> bool {
                self.0 == [0; 32]
            }

            /// The short form that logs and status lines use: `[abcde]`, five base64 digits.
            pub fn short(&self) -> String {
                use base64::Engine as _;
                let text = base64::engine::general_purpose::STANDARD.encode(self.0);
                format!("[{}]", text.get(..5).unwrap_or_default())
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str($prefix)?;
                self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(self, f)
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseKeyError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                parse_hex(s, $prefix).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            /// An empty text is taken as the zero key, as Go's decoder does.
            fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = std::borrow::Cow::<'de, str>::deserialize(d)?;
                if s.is_empty() {
                    return Ok(Self::ZERO);
                }
                s.parse().map_err(D::Error::custom)
            }
        }
    };
}

macro_rules! secret_key {
    ($(#[$doc:meta])* $name:ident => $public:ident, $prefix:literal) => {
        $(#[$doc])*
        ///
        /// Cleared from memory on drop, never printed, not comparable.
        #[derive(Clone)]
        pub struct $name(StaticSecret);

        impl $name {
            /// From 32 random bytes (clamped when used, as X25519 does).
            pub fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(StaticSecret::from(bytes))
            }

            /// The public half.
            pub fn public(&self) -> $public {
                $public(PublicKey::from(&self.0).to_bytes())
            }

            /// The X25519 secret itself, for the ciphers that need it.
            pub fn secret(&self) -> &StaticSecret {
                &self.0
            }

            /// The text form for a state file readable by its owner alone.
            pub fn to_state_text(&self) -> zeroize::Zeroizing<String> {
                zeroize::Zeroizing::new(format!("{}{}", $prefix, hex::encode(self.0.as_bytes())))
            }

            /// Reads [`Self::to_state_text`] back.
            pub fn from_state_text(text: &str) -> Result<Self, ParseKeyError> {
                parse_hex(text, $prefix).map(Self::from_bytes)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

public_key!(
    /// A node's WireGuard public key; rotates with each sign-in.
    NodeKey,
    "nodekey:"
);
public_key!(
    /// A machine's public key: its Noise identity, stable per installation.
    MachineKey,
    "mkey:"
);
public_key!(
    /// A node's path-discovery public key; new at each process start.
    DiscoKey,
    "discokey:"
);
secret_key!(
    /// A node's WireGuard private key.
    NodeSecret => NodeKey, "privkey:"
);
secret_key!(
    /// A machine's private key; also the type of the server's own Noise key.
    MachineSecret => MachineKey, "privkey:"
);
secret_key!(
    /// A node's path-discovery private key.
    DiscoSecret => DiscoKey, "privkey:"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_carry_their_prefix() {
        let key = NodeKey::from_bytes([0x0f; 32]);
        let text = format!("nodekey:{}", "0f".repeat(32));
        assert_eq!(key.to_string(), text);
        assert_eq!(text.parse::<NodeKey>().unwrap(), key);
        assert_eq!(
            text.parse::<MachineKey>().unwrap_err(),
            ParseKeyError::Prefix { expected: "mkey:" }
        );
        assert_eq!(
            "nodekey:0f".parse::<NodeKey>().unwrap_err(),
            ParseKeyError::Hex
        );
    }

    #[test]
    fn the_zero_key_and_an_empty_text_mean_none() {
        let zero: NodeKey =
            serde_json::from_str(&format!("\"nodekey:{}\"", "0".repeat(64))).unwrap();
        assert!(zero.is_zero());
        let empty: NodeKey = serde_json::from_str("\"\"").unwrap();
        assert!(empty.is_zero());
    }

    #[test]
    fn a_secret_is_not_printed() {
        let secret = NodeSecret::from_bytes([7; 32]);
        assert_eq!(format!("{secret:?}"), "NodeSecret(…)");
        let back = NodeSecret::from_state_text(&secret.to_state_text()).unwrap();
        assert_eq!(back.public(), secret.public());
    }
}
