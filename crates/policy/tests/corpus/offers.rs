//! What an editor shows of every capture's policy, where captures are present:
//! findings, hover texts and offers at many places, also of texts that are cut
//! off: never a panic, always within bounds, and every span between characters.

use policy::{Diagnostic, Directory, Span, complete, hover};

use crate::{read, tenant, texts};

/// The most findings of one kind of check.
const MAX_FINDINGS: usize = 200;
/// The most bytes of a hover text, an offer or a message.
const MAX_TOLD: usize = 2_000;

struct Shown<'a> {
    name: &'a str,
    text: &'a str,
    directory: &'a Directory,
}

impl Shown<'_> {
    fn within(&self, span: Span, what: &str) {
        let ok = span.start <= span.end && self.text.get(span.start..span.end).is_some();
        assert!(ok, "{}: {what}: {span:?}", self.name);
    }

    fn findings(&self) -> usize {
        let (document, found) = policy::parse(self.text);
        let against = policy::check::against(&document, self.directory);
        let lint = policy::lint::lint(self.text, self.directory);
        let mut count = 0;
        for (what, found) in [("parse", found), ("check", against), ("lint", lint)] {
            assert!(found.len() <= MAX_FINDINGS, "{}: {what}", self.name);
            count += found.len();
            for finding in &found {
                self.finding(what, finding);
            }
        }
        count
    }

    fn finding(&self, what: &str, finding: &Diagnostic) {
        self.within(finding.span, &finding.message);
        let told = [Some(&finding.message), finding.help.as_ref()];
        for told in told.into_iter().flatten() {
            let fits = !told.trim().is_empty() && told.len() <= MAX_TOLD;
            assert!(fits, "{}: {what}: {told}", self.name);
        }
    }

    /// Asks at a byte, which may be inside a character; true when something was told.
    fn at(&self, at: usize) -> bool {
        let told = hover::hover(self.text, at, self.directory);
        if let Some(told) = &told {
            self.within(told.span, &told.text);
            assert!(told.span.start <= at && at <= told.span.end);
            let fits = !told.text.is_empty() && told.text.len() <= MAX_TOLD;
            assert!(fits, "{} at {at}: {}", self.name, told.text);
        }
        let offered = complete::complete(self.text, at, self.directory);
        self.within(offered.span, "offers");
        assert!(
            offered.offers.len() <= complete::MAX_OFFERS,
            "{}",
            self.name
        );
        for offer in &offered.offers {
            let length = offer.label.len() + offer.detail.len() + offer.insert.len();
            assert!(length <= MAX_TOLD && !offer.insert.is_empty(), "{offer:?}");
        }
        told.is_some() || !offered.offers.is_empty()
    }
}

#[test]
fn every_capture_is_shown_within_bounds() {
    let Some(cases) = read::cases() else {
        return;
    };
    let directory = tenant::Tenant::of(&cases[0]).directory;
    let (mut asked, mut told, mut findings) = (0_u64, 0_u64, 0);
    for (number, text) in texts::all(&cases).iter().enumerate() {
        let whole = Shown {
            name: &text.name,
            text: &text.text,
            directory: &directory,
        };
        findings += whole.findings();
        // Every text at other places, and the rest of it once more without its end.
        for at in (number % 61..=text.text.len() + 2).step_by(61) {
            asked += 1;
            told += u64::from(whole.at(at));
            if at % 5 == 0 && text.text.is_char_boundary(at) {
                let cut = Shown {
                    text: &text.text[..at],
                    ..whole
                };
                cut.findings();
                cut.at(at);
            }
        }
    }
    println!("{asked} places, {told} with something to say; {findings} findings");
    assert!(asked > 10_000 && told > asked / 4);
}
