//! What is wrong or odd in a document, where, and what to do about it.

use wire::api::policy as api;
pub use wire::api::policy::Severity;

/// A range of bytes in the document.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl Span {
    /// From the first byte to one past the last.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)*) => {
        /// A stable word for each kind of finding.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// The word as the API shows it.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

codes! {
    /// Not JSON with comments and trailing commas.
    Syntax = "syntax",
    /// Over one of the limits of [`crate::source`] or of a keyword.
    Limit = "limit",
    /// A key stands twice in one object.
    DuplicateKey = "duplicate_key",
    /// A key that the language does not know.
    UnknownKey = "unknown_key",
    /// A key is missing.
    MissingKey = "missing_key",
    /// A value of the wrong kind.
    WrongType = "wrong_type",
    /// A group, tag, host or user name that cannot be one.
    InvalidName = "invalid_name",
    /// A selector that cannot be read or may not stand here.
    InvalidSelector = "invalid_selector",
    /// A group inside a group.
    NestedGroup = "nested_group",
    /// A group, tag or host that is not defined.
    Undefined = "undefined",
    /// Ports that cannot be read or may not stand here.
    InvalidPorts = "invalid_ports",
    /// A protocol that cannot be read.
    InvalidProtocol = "invalid_protocol",
    /// An action other than `accept`.
    InvalidAction = "invalid_action",
    /// A domain that does not belong to the tenant.
    UnknownDomain = "unknown_domain",
    /// A condition of a posture that cannot be read.
    InvalidCondition = "invalid_condition",
    /// A time that cannot be read or is over its limit.
    InvalidDuration = "invalid_duration",
    /// A name that is taken as written, though it looks like something else.
    UnlikelyName = "unlikely_name",
    /// A rule that lets more people in than it should.
    WideRule = "wide_rule",
    /// What a rule of `ssh` does not do yet.
    Ineffective = "ineffective",
    /// A test of the document that fails.
    TestFailed = "test_failed",
    /// `autogroup:self` with sources that are no people.
    SelfSource = "self_source",
    /// Bits after a prefix's length are set; they are ignored.
    HostBits = "host_bits",
    /// A rule that can match nothing.
    EmptyRule = "empty_rule",
    /// The document has no rules section and allows everything.
    EverythingAllowed = "everything_allowed",
    /// The document allows nothing.
    NothingAllowed = "nothing_allowed",
    /// An e-mail address that belongs to no user of the tenant.
    UnknownUser = "unknown_user",
    /// A group that no identity provider tells of.
    UnknownGroup = "unknown_group",
    /// Part of the language that is kept and that this server does not act on yet.
    NotActedOn = "not_acted_on",
    /// A capability's name that cannot be one or may not be given.
    InvalidCapability = "invalid_capability",
    /// A name that nothing uses.
    Unused = "unused",
    /// A rule that says what another says.
    DuplicateRule = "duplicate_rule",
    /// A rule that allows nothing that another does not allow.
    ShadowedRule = "shadowed_rule",
    /// A rule whose sources or destinations are nobody.
    MatchesNobody = "matches_nobody",
    /// A tag whose owners are nobody.
    UnassignableTag = "unassignable_tag",
    /// Users that are a source of no rule.
    UserInNoRule = "user_in_no_rule",
    /// A sensitive port that is opened and that no test guards.
    UntestedPort = "untested_port",
    /// A destination of a rule with `via` that lies behind no router.
    ViaTarget = "via_target",
    /// A rule with `via` whose routers have no approved route to a destination of it.
    ViaRouter = "via_router",
    /// A host that has the name of a machine and other addresses.
    HostLikeMachine = "host_like_machine",
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it stops a save.
    pub severity: Severity,
    /// What kind of finding.
    pub code: Code,
    /// Where.
    pub span: Span,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The form the API carries; `text` is the document that the span points into.
    pub fn to_api(&self, text: &str) -> api::Diagnostic {
        let (line, column) = line_and_column(text, self.span.start);
        api::Diagnostic {
            severity: self.severity,
            code: self.code.as_str().to_owned(),
            message: self.message.clone(),
            help: self.help.clone(),
            start: self.span.start,
            end: self.span.end,
            line,
            column,
        }
    }
}

/// The line and the column (in characters) of a byte, both from 1.
pub fn line_and_column(text: &str, byte: usize) -> (usize, usize) {
    let mut at = byte.min(text.len());
    while !text.is_char_boundary(at) {
        at = at.saturating_sub(1);
    }
    let before = text.get(..at).unwrap_or_default();
    let line = before
        .bytes()
        .filter(|b| *b == b'\n')
        .count()
        .saturating_add(1);
    let last = before.rsplit('\n').next().unwrap_or_default();
    (line, last.chars().count().saturating_add(1))
}

/// At most this many findings are kept for one document.
pub const MAX_DIAGNOSTICS: usize = 200;

/// Collects findings while a document is read.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    found: Vec<Diagnostic>,
    errors: usize,
}

impl Sink {
    pub(crate) fn error(&mut self, code: Code, span: Span, message: impl Into<String>) -> Help<'_> {
        self.push(Severity::Error, code, span, message.into())
    }

    pub(crate) fn warning(
        &mut self,
        code: Code,
        span: Span,
        message: impl Into<String>,
    ) -> Help<'_> {
        self.push(Severity::Warning, code, span, message.into())
    }

    fn push(&mut self, severity: Severity, code: Code, span: Span, message: String) -> Help<'_> {
        self.errors += usize::from(severity == Severity::Error);
        // An error is never lost to a wall of warnings, nor the first ones to later ones.
        if self.found.len() >= MAX_DIAGNOSTICS {
            match self.found.last_mut() {
                Some(last) if severity < last.severity => {
                    *last = Diagnostic {
                        severity,
                        code,
                        span,
                        message,
                        help: None,
                    }
                }
                Some(_) | None => return Help(None),
            }
        } else {
            self.found.push(Diagnostic {
                severity,
                code,
                span,
                message,
                help: None,
            });
        }
        Help(self.found.last_mut())
    }

    /// How many errors were made, also those that were not kept.
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    pub(crate) fn has_errors(&self) -> bool {
        crate::has_errors(&self.found)
    }

    /// Everything found, in document order.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|d| (d.span, d.severity));
        self.found
    }
}

/// The finding just made, to hang a help text on.
pub(crate) struct Help<'a>(Option<&'a mut Diagnostic>);

impl Help<'_> {
    pub(crate) fn help(self, text: impl Into<String>) {
        if let Some(d) = self.0 {
            d.help = Some(text.into());
        }
    }

    /// Suggests the nearest of `known`, or names them all when they are few.
    pub(crate) fn did_you_mean<'k>(self, word: &str, known: impl Iterator<Item = &'k str>) {
        let mut seen = std::collections::BTreeSet::new();
        let known: Vec<&str> = known.filter(|name| seen.insert(*name)).collect();
        if let Some(best) = nearest(word, &known) {
            self.help(format!("did you mean `{best}`?"));
        } else if !known.is_empty() && known.len() <= 12 {
            self.help(format!("known here: `{}`", known.join("`, `")));
        }
    }
}

/// The nearest of `known` by edit distance, if it is near at all. What both begin
/// with, `tag:` or `node:`, makes no two names alike.
pub fn nearest<'k>(word: &str, known: &[&'k str]) -> Option<&'k str> {
    let word = word.to_lowercase();
    let near = known.iter().filter_map(|name| {
        let lower = name.to_lowercase();
        let (typed, meant) = apart(&word, &lower);
        let length = typed.chars().count();
        let edits = distance(typed, meant);
        let few = if length <= 4 { 1 } else { 2 };
        (edits <= few && edits < length.max(1)).then_some((edits, *name))
    });
    near.min().map(|(_, name)| name)
}

/// The two names without the kind that both are of.
fn apart<'t>(a: &'t str, b: &'t str) -> (&'t str, &'t str) {
    match (a.split_once(':'), b.split_once(':')) {
        (Some((kind, a)), Some((other, b))) if kind == other => (a, b),
        _ => (a, b),
    }
}

/// The edits from one word to the other: a character more, less, another, or
/// two swapped; words over 64 characters count as far away.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len() > 64 || b.len() > 64 {
        return usize::MAX;
    }
    let width = b.len() + 1;
    let mut costs: Vec<usize> = Vec::with_capacity((a.len() + 1) * width);
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            let at = |rows: usize, columns: usize| {
                costs
                    .get((i - rows) * width + (j - columns))
                    .copied()
                    .unwrap_or_default()
            };
            let same = |x: usize, y: usize| a.get(x) == b.get(y);
            let cost = match (i, j) {
                (0, _) => j,
                (_, 0) => i,
                _ => {
                    let edit = at(1, 1) + usize::from(!same(i - 1, j - 1));
                    let shift = at(1, 0).min(at(0, 1)) + 1;
                    let swapped = i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1);
                    let swap = if swapped { at(2, 2) + 1 } else { usize::MAX };
                    edit.min(shift).min(swap)
                }
            };
            costs.push(cost);
        }
    }
    costs.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "{\n  \"ü\": 1\n}";
        assert_eq!(line_and_column(text, 0), (1, 1));
        assert_eq!(line_and_column(text, 4), (2, 3));
        assert_eq!(line_and_column(text, 9), (2, 7));
        assert_eq!(line_and_column(text, 999), (3, 2));
    }

    #[test]
    fn a_near_word_is_suggested_and_a_far_one_is_not() {
        let known = ["acls", "groups", "tagOwners"];
        assert_eq!(nearest("group", &known), Some("groups"));
        assert_eq!(nearest("tagowners", &known), Some("tagOwners"));
        assert_eq!(nearest("weather", &known), None);
        assert_eq!(nearest("dts", &["src", "dst"]), Some("dst"));
        assert_eq!(nearest("tag:ci", &["tag:db", "tag:web"]), None);
        assert_eq!(nearest("tag:a", &["tag:b"]), None);
        assert_eq!(nearest("node:foo", &["node:os", "node:osVersion"]), None);
        assert_eq!(nearest("tag:wbe", &["tag:db", "tag:web"]), Some("tag:web"));
        assert_eq!(nearest("tga:web", &["tag:web"]), Some("tag:web"));
        assert_eq!(
            nearest("node:osversion", &["node:os", "node:osVersion"]),
            Some("node:osVersion")
        );
        assert_eq!(nearest("group:engineers", &["group:entry"]), None);
        assert_eq!(distance("abc", "abc"), 0);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("kitten", "sitting"), 3);
    }

    #[test]
    fn few_names_are_all_told_each_once() {
        let mut sink = Sink::default();
        let known = ["tag:web", "tag:db", "tag:web"].into_iter();
        sink.error(Code::Undefined, Span::default(), "e")
            .did_you_mean("tag:printer", known);
        let found = sink.finish();
        assert_eq!(
            found[0].help.as_deref(),
            Some("known here: `tag:web`, `tag:db`")
        );
    }

    #[test]
    fn findings_are_bounded_and_errors_survive() {
        let mut sink = Sink::default();
        for i in 0..500 {
            sink.warning(Code::UnknownUser, Span::new(i, i + 1), "w");
        }
        sink.error(Code::Syntax, Span::new(9, 10), "e");
        let found = sink.finish();
        assert_eq!(found.len(), MAX_DIAGNOSTICS);
        assert!(crate::has_errors(&found));
    }
}
