//! The names that exist: those the text defines and those of the directory.

use std::collections::BTreeSet;

use crate::{
    cursor::Scan,
    directory::Directory,
    keyword::{
        self,
        form::{Form, Names},
    },
    posture::attribute,
};

/// What names there are.
pub(super) struct Known<'a> {
    directory: &'a Directory,
    /// The keys of the top-level maps: by the name of the map.
    defined: BTreeSet<(String, String)>,
}

impl<'a> Known<'a> {
    pub(super) fn of(text: &str, directory: &'a Directory) -> Self {
        let mut defined = BTreeSet::new();
        let mut scan = Scan::new(text);
        while let Some(token) = scan.next(usize::MAX) {
            scan.take(token);
            if let [top, map] = scan.open.as_slice()
                && let (Some(section), Some(name)) = (&top.key, map.keys.last())
            {
                defined.insert((section.clone(), name.clone()));
            }
        }
        Self { directory, defined }
    }

    /// The names of a kind, each with what it is.
    pub(super) fn list(&self, kind: Names) -> Vec<(String, String)> {
        let say = |name: &str, what: &str| (name.to_owned(), what.to_owned());
        match kind {
            Names::Any => vec![say("*", "everything")],
            Names::User => {
                let users = self.directory.users.iter();
                users.map(|u| say(&u.email, "user")).collect()
            }
            Names::Domain => {
                let domains = self.directory.domains.iter();
                domains
                    .map(|d| say(&format!("user:*@{d}"), "all users of a domain"))
                    .collect()
            }
            Names::Address => {
                let routes = self.directory.routes.iter();
                routes.map(|r| say(&r.to_string(), "a route")).collect()
            }
            Names::Autogroups(groups) => groups
                .iter()
                .map(|g| say(g.as_str(), g.summary()))
                .collect(),
            Names::Word(word) => vec![say(word, "")],
            Names::Other(_) => Vec::new(),
            Names::Group => self.defined_as(kind, "group"),
            Names::Tag => self.defined_as(kind, "tag"),
            Names::Host => self.defined_as(kind, "host"),
            Names::Ipset => self.defined_as(kind, "set of addresses"),
            Names::Service => self.defined_as(kind, "service"),
            Names::Posture => self.defined_as(kind, "posture"),
            Names::Attribute => {
                let known = attribute::KNOWN.iter();
                known.map(|k| say(k.name, k.summary)).collect()
            }
            Names::Condition => {
                let known = attribute::KNOWN.iter();
                known.map(|k| say(k.example, k.summary)).collect()
            }
        }
    }

    /// The keys of the maps whose keys are names of this kind.
    fn defined_as(&self, kind: Names, what: &str) -> Vec<(String, String)> {
        let is_home = |section: &str| {
            let form = keyword::find(section).map(|k| k.form);
            matches!(form, Some(Form::Map([first, ..], _)) if *first == kind)
        };
        self.defined
            .iter()
            // A name that is being typed may be empty still.
            .filter(|(section, name)| is_home(section) && !name.is_empty())
            .map(|(_, name)| (name.clone(), what.to_owned()))
            .collect()
    }
}
