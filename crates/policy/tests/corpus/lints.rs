//! Lints are right in every capture, where captures are present: a rule that is said to add
//! nothing may be taken out, a user who is said to be in no rule reaches nothing.

use std::collections::BTreeMap;

use policy::{Code, Compiled, Diagnostic, Document, Severity};
use serde_json::Value;

use crate::{case, ends::ends, read, tenant};

/// What is decided between all ends, on ports that captures name.
fn decisions(text: &str, tenant: &tenant::Tenant<'_>) -> Vec<bool> {
    let (document, _) = policy::parse(text);
    let law = Compiled::new(&document, &tenant.directory);
    let mut all = Vec::new();
    for from in tenant.all.iter().flat_map(ends) {
        for to in tenant.all.iter().flat_map(ends) {
            for (proto, port) in [
                (6, 22),
                (6, 80),
                (6, 443),
                (6, 8080),
                (17, 53),
                (1, 0),
                (47, 0),
            ] {
                all.push(law.decide(from, to, proto, port).is_allowed());
            }
        }
    }
    all
}

/// The section and the place of the rule that the finding stands at.
fn rule_at(document: &Document, found: &Diagnostic) -> Option<(&'static str, usize)> {
    let acls = document.acls.iter().flatten();
    let grants = document.grants.iter().flatten();
    let acls = acls.map(|rule| ("acls", rule.index, rule.span));
    let mut all = acls.chain(grants.map(|rule| ("grants", rule.index, rule.span)));
    let (section, index, _) = all.find(|(.., span)| *span == found.span)?;
    Some((section, index))
}

/// The document without one rule.
fn without(text: &str, (section, index): (&str, usize)) -> String {
    let mut value: Value = serde_json::from_str(text).unwrap();
    value[section].as_array_mut().unwrap().remove(index);
    value.to_string()
}

/// Holds one finding against what is decided; true when there was something to hold.
fn is_right(found: &Diagnostic, case: &case::Case, tenant: &tenant::Tenant<'_>) -> bool {
    let text = &case.policy;
    let (document, _) = policy::parse(text);
    let adds_nothing = [Code::DuplicateRule, Code::ShadowedRule, Code::MatchesNobody];
    if adds_nothing.contains(&found.code) {
        let Some(rule) = rule_at(&document, found) else {
            return false;
        };
        let rest = without(text, rule);
        let same = decisions(text, tenant) == decisions(&rest, tenant);
        assert!(same, "{}: {} in {text}", case.id, found.message);
        return true;
    }
    if found.code != Code::UserInNoRule {
        return false;
    }
    let law = Compiled::new(&document, &tenant.directory);
    let named = tenant.directory.users.iter();
    for user in named.filter(|user| found.message.contains(&user.email)) {
        let own = tenant.all.iter().filter(|n| n.owner() == Some(user.id));
        for from in own {
            let mut others = tenant.all.iter().filter(|n| *n != from);
            let reached = others.any(|to| {
                let mut ports = [22, 80, 443].into_iter();
                ports.any(|port| law.can_reach(from, to, 6, port))
            });
            assert!(!reached, "{}: {} in {text}", case.id, found.message);
        }
    }
    true
}

#[test]
fn every_lint_of_a_capture_is_right() {
    let Some(cases) = read::cases() else {
        return;
    };
    let (mut counts, mut held) = (BTreeMap::<&str, usize>::new(), 0);
    for case in cases.iter().filter(|case| case.reject.is_none()) {
        let tenant = tenant::Tenant::of(case);
        for found in policy::lint::lint(&case.policy, &tenant.directory) {
            let place = case.policy.get(found.span.start..found.span.end);
            assert!(
                place.is_some_and(|p| !p.is_empty()),
                "{}: {found:?}",
                case.id
            );
            assert_eq!(found.severity, Severity::Warning, "{}: {found:?}", case.id);
            assert!(found.help.is_some(), "{}: {found:?}", case.id);
            *counts.entry(found.code.as_str()).or_default() += 1;
            held += usize::from(is_right(&found, case, &tenant));
        }
    }
    println!("lints of captures: {counts:?}, {held} held against decisions");
    assert!(held > 0, "no finding to hold against decisions");
}
