//! Explanations of prefixes, hosts, sets, routes and the addresses of one machine.

use wire::{
    NodeId,
    api::policy::explain::{Case, Explained, Verdict},
};

use super::*;
use crate::db::NodeOwner;

struct Office {
    app: TestApp,
    tenant: TenantId,
    ada: Persona,
    gate: NodeId,
}

/// Bob with a laptop, a web machine, and a router with one approved route and one that waits.
async fn office() -> Office {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    app.node(tenant, "laptop", NodeOwner::User(bob.user)).await;
    let tags = |tag: &str| NodeOwner::Tags(vec![tag.parse().unwrap()]);
    app.node(tenant, "web", tags("tag:web")).await;
    let gate = app
        .node_that(tenant, "gate", tags("tag:gate"), |new| {
            let offered = ["10.20.0.0/16", "10.30.0.0/16", "0.0.0.0/0", "::/0"];
            new.hostinfo.routable_ips = offered.map(|r| r.parse().unwrap()).to_vec();
        })
        .await;
    let office = Office {
        app,
        tenant,
        ada,
        gate: gate.id,
    };
    office.approve(gate.id, "10.20.0.0/16").await;
    office
}

impl Office {
    async fn approve(&self, node: NodeId, route: &str) {
        let tenant = self.tenant;
        let path = NodeRoutesPath { tenant, node }.to_path();
        let body = json!({ "approve": [route] });
        self.ada.patches(&path, &body).await.done();
    }

    async fn explained(&self, rules: &str, question: Value) -> Explained {
        let document = format!(
            r#"{{"hosts": {{"office": "10.20.0.0/16", "wide": "10.20.0.0/15"}},
               "tagOwners": {{"tag:web": [], "tag:gate": []}},
               "postures": {{"posture:linux": ["node:os == 'linux'"]}},
               "acls": [{rules}]}}"#
        );
        let body = json!({ "document": document, "question": question });
        let path = PolicyExplainPath {
            tenant: self.tenant,
        };
        self.ada.posts(&path.to_path(), &body).await.ok()
    }

    /// What is said: the sentence, and then each case with its reasons.
    async fn said(&self, rules: &str, from: &str, to: &str, ports: &str) -> Vec<String> {
        let question = json!({
            "ask": "reach", "from": from, "to": to, "traffic": { "ports": ports },
        });
        let told = self.explained(rules, question).await;
        let mut said = vec![told.sentence];
        said.extend(told.cases.iter().map(case));
        said
    }
}

fn case(case: &Case) -> String {
    let steps = case.chains.iter().flat_map(|chain| &chain.steps);
    let mut parts = vec![case.sentence.clone()];
    parts.extend(steps.map(|step| step.text.clone()));
    let near = case.denied.iter().flat_map(|denied| &denied.nearest);
    parts.extend(near.map(|near| format!("{}: {}", near.rule.name, near.missing.join("; "))));
    parts.join(" | ")
}

fn rule(src: &str, dst: &str) -> String {
    format!(r#"{{"action": "accept", "src": ["{src}"], "dst": ["{dst}"]}},"#)
}

const BOB: &str = "bob@acme.example";

#[tokio::test]
async fn a_prefix_is_told_in_the_parts_that_rules_make_of_it() {
    let office = office().await;
    let nine = rule(BOB, "10.20.0.9/32:443");
    let said = office.said(&nine, BOB, "office", "443").await;
    assert_eq!(
        said,
        [
            "bob@acme.example may reach office on tcp port 443 only in part: 10.20.0.9 behind gate, \
             but not 10.20.0.0-10.20.0.8 behind gate and 10.20.0.10-10.20.255.255 behind gate.",
            "bob@acme.example may reach 10.20.0.9 behind gate on tcp port 443. \
             | the rule names bob@acme.example | the address is in 10.20.0.9/32 \
             | the approved route 10.20.0.0/16 leads there",
            "bob@acme.example may not reach 10.20.0.0-10.20.0.8 behind gate and \
             10.20.0.10-10.20.255.255 behind gate on tcp port 443: no rule of the source has the \
             destination. | rule 1 of acls: the destination is not in `dst`",
        ]
    );
    let said = office.said(&nine, "office", "web", "443").await;
    assert_eq!(
        said[0],
        "office may not reach web on tcp port 443: no rule has the source."
    );
    let all = rule(BOB, "office:443");
    let said = office.said(&all, BOB, "10.20.0.0/16", "443").await;
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(
        said[0],
        "bob@acme.example may reach 10.20.0.0/16 on tcp port 443."
    );
    let from = rule("10.20.0.0/24", "tag:web:81");
    let said = office.said(&from, "office", "web", "81").await;
    assert_eq!(
        said[0],
        "office may reach web on tcp port 81 only in part: from 10.20.0.0/24 behind gate, but not \
         from 10.20.1.0-10.20.255.255 behind gate."
    );
    assert_eq!(
        said[1],
        "10.20.0.0/24 behind gate may reach web on tcp port 81. | the address is in 10.20.0.0/24 \
         | the device has `tag:web`"
    );
    let question = json!({ "ask": "who_reaches", "to": "office", "traffic": { "ports": "443" } });
    let told = office.explained(&nine, question).await;
    assert_eq!(
        told.sentence,
        "One machine may reach office on tcp port 443."
    );
    assert_eq!(told.entrances[0].to.first, ["10.20.0.9 behind gate"]);
}

#[tokio::test]
async fn what_leads_nowhere_and_what_waits_for_approval_is_told_apart() {
    let office = office().await;
    let said = office
        .said(&rule(BOB, "10.0.0.0/8:22"), BOB, "wide", "22")
        .await;
    let nowhere = "no machine has these addresses, and no approved route leads there";
    assert_eq!(
        said,
        [
            "bob@acme.example may reach wide on tcp port 22 only in part: 10.20.0.0/16 behind gate, \
             but not 10.21.0.0/16."
                .to_owned(),
            "bob@acme.example may reach 10.20.0.0/16 behind gate on tcp port 22. \
             | the rule names bob@acme.example | the address is in 10.0.0.0/8 \
             | the approved route 10.20.0.0/16 leads there"
                .to_owned(),
            format!("bob@acme.example may not reach 10.21.0.0/16 on tcp port 22: {nowhere}."),
        ]
    );
    let cases = [
        (
            rule(BOB, "10.0.0.0/8:22"),
            "10.30.0.9",
            "the device's route to the destination is not approved. | rule 1 of acls: the device's \
             route to the destination is not approved",
        ),
        (
            rule(BOB, "10.0.0.0/8:23"),
            "10.30.0.9",
            "the rule is for other ports. | rule 1 of acls: the rule is for other ports",
        ),
        (
            rule(BOB, "tag:web:22"),
            "10.30.0.9",
            "no rule of the source has the destination. | rule 1 of acls: the destination is not in \
             `dst`",
        ),
        (
            rule(BOB, "tag:web:22"),
            "8.8.8.8",
            "no rule of the source has the destination. | rule 1 of acls: the destination is not in \
             `dst`",
        ),
        (
            rule(BOB, "autogroup:internet:22"),
            "8.8.8.8",
            "the device's route to the destination is not approved. | rule 1 of acls: the device's \
             route to the destination is not approved",
        ),
    ];
    for (rules, to, why) in cases {
        let said = office.said(&rules, BOB, to, "22").await;
        let expected = format!("{BOB} may not reach {to} on tcp port 22: {why}");
        assert_eq!(said[1..], [expected], "{rules}");
    }
    let question = json!({ "ask": "reach", "from": BOB, "to": "172.16.0.1" });
    let told = office.explained(&rule("*", "*:*"), question).await;
    assert_eq!(
        told.sentence,
        "bob@acme.example may not reach 172.16.0.1 on every tcp port: no machine has this address, \
         and no approved route leads there."
    );
    let denied = told.cases[0].denied.as_ref().unwrap();
    assert_eq!(
        (told.verdict, denied.cause.as_str()),
        (Verdict::Denied, "no_such_destination")
    );
}

#[tokio::test]
async fn a_machine_is_told_by_both_its_addresses() {
    let office = office().await;
    let six = rule(BOB, "fd7a:115c:a1e0::/48:22");
    let said = office.said(&six, "laptop", "web", "22").await;
    let at = |text: &str, word: &str| {
        let start = text.find(word).unwrap() + word.len();
        let end = text[start..].find([' ', ',', '.']).unwrap();
        text[start..start + end].to_owned()
    };
    let v6 = at(&said[1], "web at ");
    assert!(v6.starts_with("fd7a:"), "{said:?}");
    let v4 = said[2].split("web at ").nth(1).unwrap();
    let v4 = v4.split(" on ").next().unwrap();
    assert!(v4.starts_with("100."), "{said:?}");
    assert_eq!(
        said,
        [
            format!(
                "laptop may reach web on tcp port 22 only in part: web at {v6}, but not web at {v4}."
            ),
            format!(
                "laptop may reach web at {v6} on tcp port 22. | the rule names bob@acme.example \
                 | the address is in fd7a:115c:a1e0::/48"
            ),
            format!(
                "laptop may not reach web at {v4} on tcp port 22: no rule of the source has the \
                 destination. | rule 1 of acls: the destination is not in `dst`"
            ),
        ]
    );
    let said = office.said(&six, "laptop", &v6, "22").await;
    assert_eq!(said[0], format!("laptop may reach {v6} on tcp port 22."));
    let question = json!({ "ask": "reach", "from": "laptop", "to": format!("{v6}:22") });
    let body = json!({ "document": "{\"acls\": []}", "question": question });
    let path = PolicyExplainPath {
        tenant: office.tenant,
    };
    let problem = office.ada.posts(&path.to_path(), &body).await;
    assert_eq!(
        problem.problem(Code::Invalid).errors[0].detail,
        format!(
            "no machine has the address {v6}:22; did you mean port 22 of {v6}, which is web's?"
        )
    );
    let said = office.said(&six, "laptop", v4, "22").await;
    assert!(said[0].starts_with(&format!("laptop may not reach {v4}")));
}

#[tokio::test]
async fn reasons_say_what_lies_behind_a_router_and_which_posture_is_met() {
    let office = office().await;
    let any = rule("*", "*:*");
    let said = office.said(&any, "10.20.0.7", "web", "22").await;
    assert_eq!(
        said[1],
        "10.20.0.7 may reach web on tcp port 22. | `*` also holds what lies behind subnet routers \
         | `*` holds every machine of the mesh"
    );
    let narrowed = format!(
        r#"{{"action": "accept", "src": ["{BOB}"], "dst": ["tag:web:22"], "srcPosture": ["posture:linux"]}}"#
    );
    let said = office.said(&narrowed, "laptop", "web", "22").await;
    assert_eq!(
        said[1],
        "laptop may reach web on tcp port 22. | the rule names bob@acme.example \
         | the device has `tag:web` | the device meets `posture:linux`"
    );
}

#[tokio::test]
async fn many_cases_are_told_in_few_and_what_is_open_first() {
    let office = office().await;
    let rules = rule(BOB, "tag:web:22") + &rule("autogroup:member", "autogroup:self:*");
    let said = office.said(&rules, "*", "*", "22").await;
    assert!(said.len() <= 6, "{said:#?}");
    assert_eq!(
        said[1],
        "laptop may reach web on tcp port 22. | the rule names bob@acme.example \
         | the device has `tag:web`"
    );
    for denied in &said[2..] {
        assert!(denied.contains(" may not reach "), "{said:#?}");
    }
}

#[tokio::test]
async fn no_rule_is_asked_about_one_machine_or_one_side_of_a_router() {
    let office = office().await;
    office.approve(office.gate, "0.0.0.0/0").await;
    let all = rule("*", "*:*");
    let cases = [
        (
            "10.20.0.10",
            "10.20.0.77",
            "10.20.0.10 and 10.20.0.77 lie behind the same router, gate: their traffic does not pass \
             through the mesh, and no rule is asked.",
        ),
        (
            "gate",
            "10.20.0.10",
            "10.20.0.10 lies behind gate: traffic between the two does not pass through the mesh, and \
             no rule is asked.",
        ),
        (
            "10.20.0.10",
            "gate",
            "10.20.0.10 lies behind gate: traffic between the two does not pass through the mesh, and \
             no rule is asked.",
        ),
        (
            "office",
            "office",
            "office lies behind gate: traffic within it does not pass through the mesh, and no rule is \
             asked.",
        ),
        (
            "10.20.0.10",
            "8.8.8.8",
            "10.20.0.10 and 8.8.8.8 lie behind the same router, gate: their traffic does not pass \
             through the mesh, and no rule is asked.",
        ),
        (
            "laptop",
            "laptop",
            "laptop is one machine: a machine always reaches itself, and no rule is asked.",
        ),
        (
            "laptop",
            BOB,
            "laptop is the only machine of bob@acme.example: a machine always reaches itself, and no rule is \
             asked.",
        ),
    ];
    for (from, to, sentence) in cases {
        let question = json!({ "ask": "reach", "from": from, "to": to });
        let told = office.explained(&all, question).await;
        assert_eq!(
            (told.verdict, told.sentence.as_str()),
            (Verdict::Unasked, sentence)
        );
        assert!(told.cases.is_empty() && told.notes.is_empty(), "{told:?}");
    }
    let question = json!({ "ask": "reach", "from": "*", "to": "10.20.0.10" });
    let told = office.explained(&all, question).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(
        told.notes,
        [
            "Traffic between gate and what lies behind it, or within that, does not pass through the \
             mesh, and no rule is asked: the answer leaves it out."
        ]
    );
}

#[tokio::test]
async fn only_machines_and_what_lies_behind_subnet_routers_are_sources() {
    let office = office().await;
    office.approve(office.gate, "0.0.0.0/0").await;
    let all = rule("*", "*:*");
    let lost = "no machine has this address, and no approved subnet route leads there";
    let said = office.said(&all, "8.8.8.8", "web", "22").await;
    let expected = format!("8.8.8.8 may not reach web on tcp port 22: {lost}.");
    assert_eq!(said, [expected.clone(), expected]);
    let said = office.said(&all, "8.8.8.8", "10.20.0.7", "22").await;
    assert!(said[0].ends_with(&format!("{lost}.")), "{said:?}");
    let said = office.said(&all, "10.30.0.9", "web", "22").await;
    assert_eq!(
        said[0],
        "10.30.0.9 may not reach web on tcp port 22: gate offers 10.30.0.0/16 and nobody approved it."
    );
}

#[tokio::test]
async fn one_machine_of_a_tag_or_a_person_is_judged_with_a_second_one_like_it() {
    let office = office().await;
    let rules = rule("tag:web", "tag:web:22") + &rule("autogroup:member", "autogroup:self:80");
    let said = office.said(&rules, "tag:web", "tag:web", "22").await;
    assert_eq!(
        said,
        [
            "only web has tag:web; web may reach a second machine with tag:web on tcp port 22.",
            "web may reach a second machine with tag:web on tcp port 22. | the device has `tag:web` \
             | the device has `tag:web`",
        ]
    );
    let said = office.said(&rules, "tag:web", "tag:web", "23").await;
    assert_eq!(
        said[0],
        "only web has tag:web; web may not reach a second machine with tag:web on tcp port 23: the \
         rule is for other ports."
    );
    let said = office.said(&rules, BOB, BOB, "80").await;
    assert_eq!(
        said[0],
        "laptop is the only machine of bob@acme.example; laptop may reach a second machine of \
         bob@acme.example on tcp port 80."
    );
    let ada = "ada@acme.example";
    let said = office.said(&rules, ada, ada, "80").await;
    assert_eq!(
        said[0],
        "ada@acme.example has no machine yet; a machine of ada@acme.example may reach a second \
         machine of ada@acme.example on tcp port 80."
    );
}

#[tokio::test]
async fn a_host_named_like_a_machine_says_so_and_ids_and_ports_are_understood() {
    let office = office().await;
    let document = r#"{"hosts": {"web": "10.20.0.77"}, "tagOwners": {"tag:web": [], "tag:gate": []},
        "acls": [{"action": "accept", "src": ["bob@acme.example"], "dst": ["10.20.0.77:22"]}]}"#;
    let path = PolicyExplainPath {
        tenant: office.tenant,
    }
    .to_path();
    let asks =
        |to: &str| json!({ "ask": "reach", "from": BOB, "to": to, "traffic": { "ports": "22" } });
    let body = json!({ "document": document, "question": asks("web") });
    let told = office.ada.posts(&path, &body).await.ok::<Explained>();
    assert_eq!(
        told.sentence,
        "bob@acme.example may reach web on tcp port 22."
    );
    let note = &told.notes[0];
    let start =
        "`web` is taken as the host of the policy, not as the machine web: for the machine write ";
    let address = note.strip_prefix(start).unwrap().trim_end_matches('.');
    let body = json!({ "document": document, "question": asks(address) });
    let told = office.ada.posts(&path, &body).await.ok::<Explained>();
    assert_eq!(told.verdict, Verdict::Denied);

    let check = PolicyCheckPath {
        tenant: office.tenant,
    }
    .to_path();
    let checked = office
        .ada
        .posts(&check, &json!({ "document": document }))
        .await;
    let checked = checked.ok::<wire::api::policy::CheckedPolicy>();
    let codes = checked.diagnostics.iter();
    let warned: Vec<&str> = codes
        .filter(|found| found.code == "host_like_machine")
        .map(|found| found.message.as_str())
        .collect();
    assert_eq!(warned, ["the host `web` is not the machine web"]);

    let all = rule(BOB, "tag:gate:22");
    let gate = office.gate.0.to_string();
    let said = office.said(&all, "laptop", &gate, "22").await;
    assert_eq!(said[0], "laptop may reach gate on tcp port 22.");
    let body = json!({ "document": document, "question": asks("gate:22") });
    let problem = office.ada.posts(&path, &body).await;
    assert_eq!(
        problem.problem(Code::Invalid).errors[0].detail,
        "write `gate` here: the port 22 belongs among the ports"
    );
}

#[tokio::test]
async fn what_is_open_in_part_is_told_by_what_differs() {
    let office = office().await;
    let web = rule(BOB, "tag:web:22");
    let said = office.said(&web, "*", "web", "22").await;
    assert_eq!(
        said[0],
        "every machine may reach web on tcp port 22 only in part: from laptop, but not from gate."
    );
    let said = office.said(&web, BOB, "autogroup:tagged", "22").await;
    assert_eq!(
        said[0],
        "bob@acme.example may reach autogroup:tagged on tcp port 22 only in part: web, but not gate."
    );
    let six = rule(BOB, "fd7a:115c:a1e0::/48:22");
    let said = office
        .said(&six, "autogroup:member", "autogroup:tagged", "22")
        .await;
    assert!(said[0].contains("only in part: "), "{said:#?}");
    let said = office.said(&web, "*", "*", "22").await;
    assert_eq!(
        said[0],
        "every machine may reach every machine on tcp port 22 only in part: from laptop to web alone."
    );
    let rules = rule(BOB, "office:22-100") + &rule(BOB, "10.20.0.77/32:443");
    let question = json!({
        "ask": "reach", "from": BOB, "to": "office", "traffic": { "ports": "22-445" },
    });
    let told = office.explained(&rules, question).await;
    assert_eq!(
        told.sentence,
        "bob@acme.example may reach office on tcp ports 22-445 only in part: everywhere on some of \
         these ports alone."
    );
    let pairs: Vec<usize> = told.cases.iter().map(|case| case.pairs).collect();
    assert_eq!(pairs, [2, 1], "{told:#?}");
}

#[tokio::test]
async fn who_reaches_a_place_is_told_with_the_router_that_takes_the_packets() {
    const LAW: &str = r#"{"tagOwners": {"tag:gate": [], "tag:side": []}, "grants": [
        {"src": ["bob@acme.example"], "dst": ["10.20.0.0/16"], "ip": ["tcp:445"], "via": ["tag:side"]},
    ]}"#;
    let office = office().await;
    let tags = NodeOwner::Tags(vec!["tag:side".parse().unwrap()]);
    let side = office.app.node_that(office.tenant, "side", tags, |new| {
        new.hostinfo.routable_ips = vec!["10.20.0.0/16".parse().unwrap()];
    });
    let side = side.await;
    office.approve(side.id, "10.20.0.0/16").await;
    let path = PolicyExplainPath {
        tenant: office.tenant,
    };
    let path = path.to_path();
    let ask = async |question: Value| {
        let body = json!({ "document": LAW, "question": question });
        office.ada.posts(&path, &body).await.ok::<Explained>()
    };
    let traffic = json!({ "ports": "445" });
    let forward =
        ask(json!({ "ask": "reach", "from": "laptop", "to": "10.20.0.9", "traffic": traffic }))
            .await;
    let reverse = ask(json!({ "ask": "who_reaches", "to": "10.20.0.9", "traffic": traffic })).await;
    assert_eq!(
        (forward.verdict, reverse.verdict),
        (Verdict::Allowed, Verdict::Allowed)
    );
    assert_eq!(forward.cases[0].to.first, ["10.20.0.9 behind side"]);
    assert_eq!(reverse.entrances[0].to.first, ["10.20.0.9 behind side"]);
}
