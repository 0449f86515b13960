use super::*;
use crate::diagnostic::Severity;

/// The findings as `severity code line:column message`, and their help.
fn found(text: &str) -> Vec<String> {
    parse(text)
        .1
        .iter()
        .map(|d| {
            let d = d.to_api(text);
            let help = d.help.map(|h| format!(" ({h})")).unwrap_or_default();
            let severity = match d.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            };
            format!(
                "{severity} {} {}:{} {}{help}",
                d.code, d.line, d.column, d.message
            )
        })
        .collect()
}

/// The findings about one rule, in a document with a tag, a group and a host.
fn in_rule(rule: &str) -> Vec<String> {
    found(&format!(
        r#"{{"tagOwners": {{"tag:web": []}}, "groups": {{"group:ops": ["a@b.example"]}}, "hosts": {{"nas": "10.0.0.9"}},
"acls": [{rule}]}}"#
    ))
}

#[test]
fn a_sound_document_has_no_findings() {
    assert_eq!(
        in_rule(
            r#"{"action": "accept", "proto": "tcp", "src": ["group:ops", "A@b.example", "*", "nas", "10.0.0.0/8"], "dst": ["tag:web:22,80-90", "nas:*"]}"#
        ),
        Vec::<String>::new()
    );
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    let all = found(
        r#"{"group": {}, "acls": [{"action": "accept", "dts": [], "src": ["*"], "dst": ["*:*"]}]}"#,
    );
    assert!(
        all.contains(
            &"error unknown_key 1:2 unknown key `group` (did you mean `groups`?)".to_owned()
        ),
        "{all:?}"
    );
    assert!(
        all.iter().any(|d| d.starts_with(
            "error unknown_key 1:45 unknown key `dts` in a rule (did you mean `dst`?)"
        )),
        "{all:?}"
    );
}

#[test]
fn undefined_names_are_errors_at_their_place() {
    assert_eq!(
        in_rule(
            r#"{"action": "accept", "src": ["group:opps"], "dst": ["tag:wob:22", "nass:1", "tag:other-thing:1"]}"#
        ),
        [
            r#"error undefined 2:39 src=group not found: "group:opps" (did you mean `group:ops`?)"#,
            r#"error undefined 2:62 dst="tag:wob": tag not found: "tag:wob" (did you mean `tag:web`?)"#,
            r#"error undefined 2:76 "nass": invalid address (did you mean `nas`?)"#,
            r#"error undefined 2:86 dst="tag:other-thing": tag not found: "tag:other-thing" (known here: `tag:web`)"#,
        ]
    );
}

#[test]
fn a_rule_that_could_be_wider_than_it_says_is_left_out() {
    for rule in [
        r#"{"action": "deny", "src": ["*"], "dst": ["*:*"]}"#,
        r#"{"action": "accept", "proto": "tpc", "src": ["*"], "dst": ["*:*"]}"#,
        r#"{"src": ["*"], "dst": ["*:*"]}"#,
    ] {
        let text = format!(r#"{{"acls": [{rule}]}}"#);
        let (document, found) = parse(&text);
        assert!(crate::has_errors(&found), "{rule}");
        assert_eq!(document.acls, Some(vec![]), "{rule}");
    }
}

#[test]
fn groups_do_not_nest() {
    let all = found(r#"{"groups": {"group:a": ["group:b"], "group:b": []}, "acls": []}"#);
    assert!(all[0].starts_with("error nested_group 1:25"), "{all:?}");
    assert!(all[0].contains(r#"groups["group:a"]: "group:b": group members cannot be recursive"#));
}

#[test]
fn self_needs_people_as_sources() {
    let refused = |source: &str| {
        in_rule(&format!(
            r#"{{"action": "accept", "src": ["{source}"], "dst": ["autogroup:self:*"]}}"#
        ))
    };
    for ok in ["*", "group:ops", "a@b.example", "autogroup:member"] {
        assert_eq!(refused(ok), Vec::<String>::new(), "{ok}");
    }
    for bad in [
        "tag:web",
        "nas",
        "10.0.0.1",
        "autogroup:tagged",
        "autogroup:self",
    ] {
        assert!(!refused(bad).is_empty(), "{bad}");
    }
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let all = found(r#"{"acls": [], "acls": []}"#);
    assert!(all[0].starts_with("error duplicate_key 1:14"));
}

#[test]
fn ports_belong_to_protocols_that_have_them() {
    let all = in_rule(r#"{"action": "accept", "proto": "icmp", "src": ["*"], "dst": ["*:22"]}"#);
    assert!(
        all[0].contains("does not support specific ports: \"icmp\""),
        "{all:?}"
    );
}

#[test]
fn host_bits_are_a_warning() {
    let all = in_rule(r#"{"action": "accept", "src": ["10.0.0.1/8"], "dst": ["*:*"]}"#);
    assert!(all[0].starts_with("warning host_bits"), "{all:?}");
    assert!(all[0].ends_with("(write `10.0.0.0/8`)"));
}

#[test]
fn what_is_no_object_is_no_policy() {
    assert_eq!(
        found("[]")[0],
        "error wrong_type 1:1 a policy must be an object, not an array"
    );
    assert_eq!(
        found("")[0],
        "error syntax 1:1 the document ends where a value should be"
    );
}

#[test]
fn older_spellings_and_any_case_are_read() {
    let text = r#"{"ACLs": [{"Action": "accept", "Users": ["*"], "Ports": ["10.0.0.1:22"]}],
        "Groups": {"group:a": ["A@b.example"]}, "TagOwners": {}, "Hosts": {}}"#;
    let (document, all) = parse(text);
    assert_eq!(all, []);
    let acls = document.acls.unwrap();
    assert_eq!((acls[0].sources.len(), acls[0].destinations.len()), (1, 1));
    let twice = in_rule(r#"{"action": "accept", "src": ["*"], "users": ["*"], "dst": ["*:*"]}"#);
    assert!(twice[0].starts_with("error duplicate_key"), "{twice:?}");
}

#[test]
fn what_nothing_acts_on_is_kept_and_named() {
    let text = r#"{"postures": {"posture:x": ["node:os == 'macos'"]}, "defaultSrcPosture": ["posture:x"],
        "derpMap": {"Regions": {}}, "oneCGNATRoute": "mac-always",
        "acls": [{"action": "accept", "srcPosture": ["posture:x"], "src": ["autogroup:shared"], "dst": ["svc:web:443"]}]}"#;
    let (document, all) = parse(text);
    let warned = |d: &&Diagnostic| d.code == Code::NotActedOn && d.severity == Severity::Warning;
    assert_eq!(all.iter().filter(warned).count(), 4, "{all:#?}");
    assert_eq!(all.len(), 4, "{all:#?}");
    assert_eq!(document.options.kept.len(), 2);
    let own = &document.acls.as_ref().unwrap()[0].postures;
    assert_eq!(crate::posture::asks(&document, own), Some(&own[..]));
    assert_eq!(crate::posture::asks(&document, &[]).unwrap().len(), 1);
}

/// The first finding about one grant.
fn in_grant(grant: &str) -> String {
    let all = found(&format!(
        r#"{{"tagOwners": {{"tag:web": []}}, "grants": [{grant}]}}"#
    ));
    all.first().cloned().unwrap_or_default()
}

#[test]
fn grants_give_traffic_or_capabilities() {
    for (grant, why) in [
        (r#"{"src": ["*"], "dst": ["*"], "ip": ["*"]}"#, ""),
        (
            r#"{"src": ["*"], "dst": ["10.0.0.0/8"], "ip": ["tcp:22,80-90", "icmp:*", "443"], "via": ["tag:web"]}"#,
            "",
        ),
        (
            r#"{"src": ["*"], "dst": ["tag:web"], "app": {"example.com/cap/sql": [{"db": [1, true, null]}]}}"#,
            "",
        ),
        (
            r#"{"src": ["*"], "dst": ["*"]}"#,
            "ip and app can not both be empty",
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "ip": ["icmp"]}"#,
            r#"port range "icmp": invalid first integer"#,
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "ip": ["tcp:0"]}"#,
            r#"port range "0": first port must be >0, or use '*' for wildcard"#,
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "ip": ["tcp:1:2"]}"#,
            r#"proto name "tcp:1" not known"#,
        ),
        (
            r#"{"src": ["*"], "dst": ["0.0.0.0/0"], "ip": ["*"]}"#,
            r#"use "*" or "autogroup:internet""#,
        ),
        (
            r#"{"src": ["*"], "dst": ["autogroup:self"], "ip": ["*"]}"#,
            "autogroup:self can only be used with",
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "ip": ["*"], "via": ["group:a"]}"#,
            "via can only be a tag",
        ),
        (
            r#"{"src": ["*"], "dst": ["10.0.0.0/8"], "ip": ["*"], "via": ["tag:no"]}"#,
            r#"tag "tag:no" not found"#,
        ),
        (
            r#"{"src": ["*"], "dst": ["autogroup:internet"], "app": {"a.example/b": []}}"#,
            "cannot use app grants with",
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "app": {"tailscale.com/cap/ingress": [{}]}}"#,
            "must not be in the tailscale.com domain",
        ),
        (
            r#"{"src": ["*"], "dst": ["*"], "app": {"https://a.example/b": [{}]}}"#,
            "must have the form {domain}/{path}",
        ),
    ] {
        let first = in_grant(grant);
        assert_eq!(first.is_empty(), why.is_empty(), "{grant}: {first}");
        assert!(first.contains(why), "{grant}: {first}");
    }
}

#[test]
fn sets_of_addresses_do_not_hold_themselves() {
    let all = found(
        r#"{"ipsets": {"ipset:a": ["ipset:b"], "ipset:b": ["ipset:a", "10.0.0.0/8"], "ipset:c": ["tag:x"]}, "acls": []}"#,
    );
    assert!(all[0].contains("is a part of itself"), "{all:?}");
    assert!(all[1].contains("`tag:x` is no set of addresses"), "{all:?}");
}
