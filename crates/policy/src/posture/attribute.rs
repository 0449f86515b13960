//! What is known of devices: attributes with a namespace, `node:os`.

use std::collections::BTreeMap;

use super::Value;

/// The attributes of one device, by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Attributes(BTreeMap<String, Value>);

impl Attributes {
    /// The value of an attribute; `None`: the device does not have it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets an attribute.
    pub fn set(&mut self, name: &str, value: Value) {
        self.0.insert(name.to_owned(), value);
    }
}

impl<N: Into<String>> FromIterator<(N, Value)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (N, Value)>>(all: I) -> Self {
        Self(all.into_iter().map(|(n, v)| (n.into(), v)).collect())
    }
}

/// The kind of an attribute's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of these texts, as far as they are known.
    OneOf(&'static [&'static str]),
    /// Any text.
    Text,
    /// A version, written as a text; versions have an order.
    Version,
    /// True or false.
    Flag,
}

impl Kind {
    /// True when a value is of this kind.
    pub(crate) const fn has(self, value: &Value) -> bool {
        match self {
            Self::OneOf(_) | Self::Text | Self::Version => matches!(value, Value::Text(_)),
            Self::Flag => matches!(value, Value::Flag(_)),
        }
    }
}

/// An attribute that the language defines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// What it says of a device.
    pub summary: &'static str,
    /// A condition on it.
    pub example: &'static str,
    /// What its values are.
    pub kind: Kind,
    /// True when this server learns it of devices.
    pub is_reported: bool,
}

/// Every attribute that the language defines.
pub const KNOWN: [Known; 8] = [
    Known {
        name: "node:os",
        summary: "The operating system.",
        example: "node:os IN ['macos', 'linux']",
        kind: Kind::OneOf(&[
            "macos", "windows", "linux", "ios", "android", "freebsd", "openbsd", "illumos", "js",
        ]),
        is_reported: true,
    },
    Known {
        name: "node:osVersion",
        summary: "The version of the operating system.",
        example: "node:osVersion >= '13.4.0'",
        kind: Kind::Version,
        is_reported: true,
    },
    Known {
        name: "node:tsVersion",
        summary: "The version of the client.",
        example: "node:tsVersion >= '1.80'",
        kind: Kind::Version,
        is_reported: true,
    },
    Known {
        name: "node:tsReleaseTrack",
        summary: "The release track of the client.",
        example: "node:tsReleaseTrack == 'stable'",
        kind: Kind::OneOf(&["stable", "unstable"]),
        is_reported: true,
    },
    Known {
        name: "node:tsAutoUpdate",
        summary: "Whether the client updates itself.",
        example: "node:tsAutoUpdate == true",
        kind: Kind::Flag,
        is_reported: true,
    },
    Known {
        name: "node:tsStateEncrypted",
        summary: "Whether the client keeps its state encrypted.",
        example: "node:tsStateEncrypted == true",
        kind: Kind::Flag,
        is_reported: true,
    },
    Known {
        name: "ip:country",
        summary: "The country of the device's public address.",
        example: "ip:country IN ['CA', 'NL']",
        kind: Kind::Text,
        is_reported: false,
    },
    Known {
        name: "ip:publicAddress",
        summary: "The device's public address.",
        example: "ip:publicAddress IN ['198.51.100.7']",
        kind: Kind::Text,
        is_reported: false,
    },
];

/// Where attributes come from: clients, the server, an administrator, and tools
/// that look after devices.
pub(crate) const NAMESPACES: [&str; 12] = [
    "node",
    "ip",
    "custom",
    "falcon",
    "fleet",
    "huntress",
    "intune",
    "iru",
    "jamfPro",
    "kandji",
    "kolide",
    "sentinelOne",
];

/// The attribute with this name, if the language defines it.
pub fn find(name: &str) -> Option<&'static Known> {
    KNOWN.iter().find(|k| k.name == name)
}

/// True when this server learns the attribute of devices.
pub(crate) fn is_reported(name: &str) -> bool {
    find(name).is_some_and(|k| k.is_reported)
}
