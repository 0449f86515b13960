//! Each cause and each reason, one small case each.

use policy::{
    Directory, End, Explainer, Flow, NodeFacts, User,
    explain::{Because, Cause, Explanation, Missing, Verdict},
};
use wire::{UserId, api::Role, net::PortRange};

pub(crate) fn of(explained: &Explanation) -> Option<Cause> {
    explained.denied.as_ref().map(|d| d.cause)
}

fn node(user: u64, tag: &str, last: u8) -> NodeFacts {
    NodeFacts {
        user: Some(UserId(user)),
        tags: Some(tag)
            .filter(|t| !t.is_empty())
            .map(str::to_owned)
            .into_iter()
            .collect(),
        addresses: vec![
            format!("100.64.0.{last}").parse().unwrap(),
            format!("fd7a:115c:a1e0::{last}").parse().unwrap(),
        ],
        ..NodeFacts::default()
    }
}

fn directory() -> Directory {
    let user = |id, name: &str, role| User {
        id: UserId(id),
        email: format!("{name}@example.com"),
        role,
    };
    Directory {
        users: vec![user(1, "ada", Role::Admin), user(2, "bob", Role::Member)],
        ..Directory::default()
    }
}

/// The answer to: may `from` reach `address` at `to` by TCP?
fn ask(text: &str, from: &NodeFacts, to: (&NodeFacts, &str), ports: PortRange) -> Explanation {
    let (document, found) = policy::parse(text);
    assert!(!policy::has_errors(&found), "{found:#?}");
    let directory = directory();
    let offered = ["10.9.0.0/16".parse().unwrap()];
    Explainer::new(&document, &directory).explain(&Flow {
        from: End {
            node: from,
            address: from.addresses[0],
        },
        to: End {
            node: to.0,
            address: to.1.parse().unwrap(),
        },
        proto: 6,
        ports: &[ports],
        offered: &offered,
    })
}

const WEB: &str = "100.64.0.9";

fn cause(text: &str, address: &str) -> Option<Cause> {
    let mut web = node(1, "tag:web", 9);
    web.routes = vec!["10.1.0.0/16".parse().unwrap()];
    of(&ask(
        text,
        &node(2, "", 2),
        (&web, address),
        PortRange::one(22),
    ))
}

fn rules(rules: &str) -> String {
    format!(
        r#"{{"tagOwners": {{"tag:web": [], "tag:r": []}}, "groups": {{"group:ops": ["ada@example.com"]}},
            "postures": {{"posture:p": ["node:os == 'linux'"]}}, {rules}}}"#
    )
}

#[test]
fn every_denial_names_its_cause() {
    let ours = |text: &str| cause(&rules(text), WEB);
    let acl = |src: &str, dst: &str, more: &str| {
        ours(&format!(
            r#""acls": [{{"action": "accept", "src": ["{src}"], "dst": ["{dst}"] {more}}}]"#
        ))
    };
    assert_eq!(ours(r#""acls": []"#), Some(Cause::EmptyPolicy));
    assert_eq!(
        acl("group:ops", "tag:web:*", ""),
        Some(Cause::SourceInNoRule)
    );
    assert_eq!(
        acl("bob@example.com", "tag:r:*", ""),
        Some(Cause::DestinationInNoRuleOfSource)
    );
    assert_eq!(acl("bob@example.com", "tag:web:80", ""), Some(Cause::Port));
    assert_eq!(
        acl("bob@example.com", "tag:web:*", r#", "proto": "udp""#),
        Some(Cause::Protocol)
    );
    let narrowed = r#", "srcPosture": ["posture:p"]"#;
    assert_eq!(
        acl("bob@example.com", "tag:web:*", narrowed),
        Some(Cause::Posture)
    );
    let app =
        r#""grants": [{"src": ["*"], "dst": ["tag:web"], "app": {"example.com/cap/x": [{}]}}]"#;
    assert_eq!(ours(app), Some(Cause::NoTraffic));
    let via =
        r#""grants": [{"src": ["*"], "dst": ["10.1.0.0/16"], "ip": ["*"], "via": ["tag:r"]}]"#;
    assert_eq!(cause(&rules(via), "10.1.2.3"), Some(Cause::Via));
    let all = r#""acls": [{"action": "accept", "src": ["*"], "dst": ["*:*"]}]"#;
    assert_eq!(
        cause(&rules(all), "10.9.2.3"),
        Some(Cause::RouteNotApproved)
    );
    assert_eq!(
        cause(&rules(all), "10.8.2.3"),
        Some(Cause::NoSuchDestination)
    );
    assert_eq!(
        cause(&rules(all), "fd7a:115c:a1e0::9"),
        Some(Cause::DifferentFamily)
    );
    assert_eq!(cause(&rules(all), WEB), None);
    let without =
        format!(r#"{all}, "nodeAttrs": [{{"target": ["tag:web"], "attr": ["disable-ipv4"]}}]"#);
    assert_eq!(cause(&rules(&without), WEB), Some(Cause::AddressDisabled));
}

#[test]
fn one_users_own_devices_are_not_anothers() {
    let text = r#"{"acls": [{"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:*"]}]}"#;
    let (mine, hers) = (node(2, "", 2), node(1, "", 1));
    let denied = ask(text, &mine, (&hers, "100.64.0.1"), PortRange::ANY);
    assert_eq!(of(&denied), Some(Cause::SelfMismatch));
    assert_eq!(
        denied.denied.unwrap().nearest[0].missing,
        [Missing::SameUser]
    );
    let other = node(2, "", 3);
    let allowed = ask(text, &mine, (&other, "100.64.0.3"), PortRange::ANY);
    assert_eq!(
        allowed.allowed[0].target.because,
        Because::SameUser {
            email: Some("bob@example.com".to_owned())
        }
    );
}

#[test]
fn the_chain_leads_from_the_group_by_the_rule_to_the_route() {
    let text = r#"{"groups": {"group:ops": ["ada@example.com", "bob@example.com"]},
        "hosts": {"office": "10.1.2.0/24"},
        "acls": [{"action": "accept", "src": ["autogroup:tagged"], "dst": ["*:*"]},
                 {"action": "accept", "src": ["group:ops"], "dst": ["office:22,80-90"]}]}"#;
    let mut router = node(1, "", 9);
    router.routes = vec!["10.1.0.0/16".parse().unwrap()];
    let asked = PortRange {
        first: 22,
        last: 85,
    };
    let explained = ask(text, &node(2, "", 2), (&router, "10.1.2.3"), asked);
    assert_eq!(explained.verdict, Verdict::Partly);
    let chain = &explained.allowed[0];
    let Because::Listed { group, email, span } = &chain.source.because else {
        panic!("{chain:#?}");
    };
    assert_eq!(
        (group.as_str(), email.as_str()),
        ("group:ops", "bob@example.com")
    );
    assert_eq!(&text[span.start..span.end], "\"bob@example.com\"");
    assert_eq!(
        (chain.rule.index, chain.route),
        (1, Some("10.1.0.0/16".parse().unwrap()))
    );
    assert_eq!(
        &text[chain.target.span.start..chain.target.span.end],
        "\"office:22,80-90\""
    );
    assert_eq!(
        chain.ports,
        [
            PortRange::one(22),
            PortRange {
                first: 80,
                last: 85
            }
        ]
    );
    let denial = explained.denied.as_ref().unwrap();
    assert_eq!(
        (denial.cause, &denial.ports[..]),
        (
            Cause::Port,
            &[PortRange {
                first: 23,
                last: 79
            }][..]
        )
    );
    assert_eq!(
        chain.to_string(),
        "rule 2 of `acls`: `group:ops` because `group:ops` lists bob@example.com; \
         to `office` because `office` stands for 10.1.2.0/24; by the route 10.1.0.0/16; ports 22,80-85"
    );
    let json = serde_json::to_value(chain).unwrap();
    assert_eq!(json["source"]["why"], "listed");
    assert_eq!(json["rule"]["section"], "acls");
}

#[test]
fn a_posture_that_is_not_met_is_told_with_what_the_device_has() {
    let text = rules(
        r#""acls": [{"action": "accept", "src": ["bob@example.com"], "dst": ["tag:web:22"], "srcPosture": ["posture:p", "posture:q"]}]"#,
    )
    .replace(
        r#""posture:p":"#,
        r#""posture:q": ["node:os IN ['ios', 'macos']", "node:tsVersion >= '1.80'"], "posture:p":"#,
    );
    let web = node(1, "tag:web", 9);
    let mut from = node(2, "", 2);
    from.posture.set("node:os", "macos".into());
    let denied = ask(&text, &from, (&web, WEB), PortRange::one(22));
    assert_eq!(of(&denied), Some(Cause::Posture));
    let unmet = &denied.denied.as_ref().unwrap().nearest[0].unmet;
    let told: Vec<String> = unmet.iter().map(ToString::to_string).collect();
    let span = unmet[0].span;
    assert_eq!(&text[span.start..span.end], "\"node:os == 'linux'\"");
    assert_eq!(
        told,
        [
            "`posture:p` asks for `node:os == 'linux'`, and the device has 'macos'",
            "`posture:q` asks for `node:tsVersion >= '1.80'`, and the device does not report it",
        ]
    );
    let words = denied.denied.as_ref().unwrap().nearest[0].words();
    let lead = "the source device does not meet the rule's postures: ";
    assert_eq!(words, [format!("{lead}{}", told.join("; "))]);
    let written = serde_json::to_value(&denied).unwrap();
    let first = &written["denied"]["nearest"][0]["unmet"][0];
    assert_eq!(first["condition"], "node:os == 'linux'");
    assert_eq!(first["value"], "'macos'");
    from.posture.set("node:tsVersion", "1.80.2".into());
    assert_eq!(
        of(&ask(&text, &from, (&web, WEB), PortRange::one(22))),
        None
    );
}
