use crate::{Directory, NodeFacts, Severity};

/// The findings of a grant about `via`: code and message.
fn found(grant: &str, nodes: &[NodeFacts]) -> Vec<(&'static str, String)> {
    let text = format!(
        r#"{{"tagOwners": {{"tag:web": [], "tag:router": [], "tag:exit": []}},
        "hosts": {{"office": "10.1.0.0/16", "web": "100.64.0.3"}},
        "ipsets": {{"ipset:most": ["autogroup:internet", "remove 8.8.8.0/24"], "ipset:lan": ["host:office"]}},
        "grants": [{{"src": ["*"], "ip": ["*"], {grant}}}]}}"#
    );
    let assessed = crate::assess(&text, &Directory::default(), nodes);
    assert!(assessed.is_sound(), "{:#?}", assessed.diagnostics);
    let via = assessed.diagnostics.into_iter();
    let via = via.filter(|d| d.code.as_str().starts_with("via"));
    via.map(|d| {
        assert_eq!(d.severity, Severity::Warning);
        assert!(d.help.is_some());
        (d.code.as_str(), d.message)
    })
    .collect()
}

fn node(tag: &str, routes: &[&str], exits: &[&str]) -> NodeFacts {
    let prefixes = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect();
    NodeFacts {
        tags: vec![tag.to_owned()],
        addresses: vec!["100.64.0.1".parse().unwrap()],
        routes: prefixes(routes),
        exit_routes: prefixes(exits),
        ..NodeFacts::default()
    }
}

#[test]
fn a_destination_that_no_router_leads_to_is_warned_of() {
    for target in [
        "tag:web",
        "*",
        "web",
        "100.64.0.0/10",
        "autogroup:member",
        "ada@example.com",
    ] {
        let all = found(
            &format!(r#""dst": ["{target}"], "via": ["tag:router"]"#),
            &[],
        );
        assert_eq!(all.len(), 1, "{target}: {all:?}");
        assert_eq!(all[0].0, "via_target");
    }
    let both = r#""dst": ["tag:web", "office"], "via": ["tag:router"]"#;
    let router = node("tag:router", &["10.1.0.0/16"], &[]);
    let all = found(both, &[router]);
    assert_eq!(all.len(), 1, "{all:?}");
    assert!(all[0].1.starts_with("`tag:web` lies behind no router"));
    assert_eq!(found(r#""dst": ["tag:web"]"#, &[]), []);
}

#[test]
fn routers_that_lead_nowhere_are_warned_of_until_a_route_is_approved() {
    let office = r#""dst": ["office"], "via": ["tag:router"]"#;
    let all = found(office, &[]);
    assert_eq!(all[0].0, "via_router");
    assert!(
        all[0].1.starts_with("no machine has `tag:router` yet"),
        "{all:?}"
    );
    let elsewhere = [
        node("tag:router", &["192.168.1.0/24"], &["0.0.0.0/0"]),
        node("tag:web", &["10.1.0.0/16"], &[]),
    ];
    let all = found(office, &elsewhere);
    assert!(
        all[0].1.contains("has an approved route to a destination"),
        "{all:?}"
    );
    for (grant, router) in [
        (office, node("tag:router", &["10.1.7.0/24"], &[])),
        (
            r#""dst": ["autogroup:internet"], "via": ["tag:exit"]"#,
            node("tag:exit", &[], &["0.0.0.0/0"]),
        ),
        (
            r#""dst": ["ipset:most"], "via": ["tag:exit"]"#,
            node("tag:exit", &[], &["0.0.0.0/0"]),
        ),
        (
            r#""dst": ["ipset:lan"], "via": ["tag:web", "tag:router"]"#,
            node("tag:router", &["10.0.0.0/8"], &[]),
        ),
    ] {
        assert_eq!(found(grant, std::slice::from_ref(&router)), [], "{grant}");
        let unapproved = node(&router.tags[0], &[], &[]);
        assert_eq!(found(grant, &[unapproved]).len(), 1, "{grant}");
    }
}
