//! The form of values: which keys and names may stand where.
//!
//! Forms describe; the keyword's reader judges. Completion, hover text, the
//! JSON schema and the documentation are written from them.

use crate::selector::{SelectorKind, autogroup::Autogroup};

/// What a value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `true` or `false`
    Boolean,
    /// Any string; the words say what it means.
    Text(&'static str),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A string that names somebody or something.
    Name(&'static [Names]),
    /// A name and, after a colon, ports.
    Target(&'static [Names]),
    /// An array.
    List(&'static Form),
    /// An object whose keys are chosen by the document.
    Map(&'static [Names], &'static Form),
    /// An object with these keys.
    Object(&'static [Field]),
    /// Anything.
    Any,
}

/// A key of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// As it is written.
    pub name: &'static str,
    /// What it is for, in one sentence.
    pub summary: &'static str,
    /// A value for it.
    pub example: &'static str,
    /// What its value looks like.
    pub form: Form,
    /// Whether it must be there.
    pub need: Need,
}

/// Whether a key must be there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Its object means nothing without it.
    Required,
    /// It may be left out.
    Optional,
    /// An older spelling of the key named here; not offered.
    Spells(&'static str),
}

/// A kind of names that a string may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// `*`
    Any,
    /// Login names.
    User,
    /// `user:*@domain`
    Domain,
    /// `group:…`
    Group,
    /// `tag:…`
    Tag,
    /// Names of `hosts`.
    Host,
    /// Addresses, prefixes and ranges.
    Address,
    /// `ipset:…`
    Ipset,
    /// `svc:…`
    Service,
    /// `posture:…`
    Posture,
    /// Attributes of devices: `node:os`.
    Attribute,
    /// Conditions on attributes: `node:os == 'macos'`.
    Condition,
    /// Built-in groups.
    Autogroups(&'static [Autogroup]),
    /// A word of its own meaning.
    Word(&'static str),
    /// What nothing lists; the words say what it is.
    Other(&'static str),
}

impl Names {
    /// True when some of these kinds hold the selector: what may stand where is
    /// asked of the same lists that are offered there.
    pub(crate) fn hold(names: &[Self], kind: &SelectorKind) -> bool {
        let plain = match kind {
            SelectorKind::Any => Self::Any,
            SelectorKind::User(_) => Self::User,
            SelectorKind::UsersOf(_) => Self::Domain,
            SelectorKind::Group(_) | SelectorKind::ProviderGroup(_) => Self::Group,
            SelectorKind::Tag(_) => Self::Tag,
            SelectorKind::Host(_) => Self::Host,
            SelectorKind::IpSet(_) => Self::Ipset,
            SelectorKind::Service(_) => Self::Service,
            SelectorKind::Prefix(_) | SelectorKind::Range(..) => Self::Address,
            SelectorKind::Autogroup(group) => {
                let lists = |n: &Self| matches!(n, Self::Autogroups(of) if of.contains(group));
                return names.iter().any(lists);
            }
        };
        names.contains(&plain)
    }

    /// How it is called in documents.
    pub fn label(self) -> String {
        match self {
            Self::Any => "`*`".to_owned(),
            Self::User => "a user".to_owned(),
            Self::Domain => "`user:*@domain`".to_owned(),
            Self::Group => "`group:…`".to_owned(),
            Self::Tag => "`tag:…`".to_owned(),
            Self::Host => "a host name".to_owned(),
            Self::Address => "an address or prefix".to_owned(),
            Self::Ipset => "`ipset:…`".to_owned(),
            Self::Service => "`svc:…`".to_owned(),
            Self::Posture => "`posture:…`".to_owned(),
            Self::Attribute => "the name of an attribute".to_owned(),
            Self::Condition => "a condition: `ATTRIBUTE OPERATOR VALUE`".to_owned(),
            Self::Autogroups(groups) => {
                let names: Vec<String> =
                    groups.iter().map(|g| format!("`{}`", g.as_str())).collect();
                names.join(", ")
            }
            Self::Word(word) => format!("`{word}`"),
            Self::Other(what) => what.to_owned(),
        }
    }
}

impl Form {
    /// The keys that an object of this form has; none for other forms.
    pub fn fields(&self) -> &'static [Field] {
        match self {
            Self::Object(fields) => fields,
            Self::Boolean
            | Self::Text(_)
            | Self::OneOf(_)
            | Self::Name(_)
            | Self::Target(_)
            | Self::List(_)
            | Self::Map(..)
            | Self::Any => &[],
        }
    }

    /// What stands one level deeper: the entries of an array, the values of a
    /// map, the value of the key `key`.
    pub fn inner(&self, key: Option<&str>) -> Option<Self> {
        match (self, key) {
            (Self::List(form), None) | (Self::Map(_, form), Some(_)) => Some(**form),
            (Self::Object(fields), Some(key)) => {
                fields.iter().find(|f| f.name == key).map(|f| f.form)
            }
            (Self::Any, _) => Some(Self::Any),
            _ => None,
        }
    }

    /// What it looks like, in words.
    pub fn label(&self) -> String {
        match self {
            Self::Boolean => "`true` or `false`".to_owned(),
            Self::Text(what) => (*what).to_owned(),
            Self::OneOf(words) => {
                let words: Vec<String> = words.iter().map(|w| format!("`{w}`")).collect();
                words.join(" or ")
            }
            Self::Name(names) => labels(names),
            Self::Target(names) => format!("one of these and `:ports`: {}", labels(names)),
            Self::List(inner) => format!("an array of: {}", inner.label()),
            Self::Map(names, inner) => {
                format!("an object: by {}, {}", labels(names), inner.label())
            }
            Self::Object(_) => "an object".to_owned(),
            Self::Any => "anything".to_owned(),
        }
    }
}

fn labels(names: &[Names]) -> String {
    let all: Vec<String> = names.iter().map(|n| n.label()).collect();
    all.join(", ")
}
