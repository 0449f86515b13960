use wire::api::policy::explain::{Explained, Verdict};

use super::*;
use crate::db::NodeOwner;

const LAW: &str = r#"{
  "tagOwners": {"tag:web": [], "tag:db": []},
  "grants": [
    {"src": ["bob@acme.example"], "dst": ["tag:web"], "ip": ["tcp:443"]},
    {"src": ["tag:web"], "dst": ["tag:db"], "app": {"example.com/cap/x": [{}]}},
  ],
}"#;

#[tokio::test]
async fn a_ping_passes_where_any_port_is_open_and_the_answer_names_the_rule() {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    app.node(tenant, "laptop", NodeOwner::User(bob.user)).await;
    for (name, tag) in [("web", "tag:web"), ("db", "tag:db")] {
        let tags = vec![tag.parse().unwrap()];
        app.node(tenant, name, NodeOwner::Tags(tags)).await;
    }
    let path = PolicyExplainPath { tenant }.to_path();
    let ask = async |mut question: Value| {
        question["traffic"] = json!({ "protocol": "icmp" });
        let body = json!({ "document": LAW, "question": question });
        ada.posts(&path, &body).await.ok::<Explained>()
    };
    let told = ask(json!({ "ask": "reach", "from": "laptop", "to": "web" })).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(told.sentence, "laptop may reach web on icmp.");
    let chain = &told.cases[0].chains[0];
    assert_eq!(chain.ports, "icmp");
    assert_eq!(chain.rule.name, "rule 1 of grants");
    assert_eq!(
        chain.steps[2].text,
        "the rule opens something there by another protocol, and that lets a ping in"
    );
    let note = "Machines answer a ping from whoever may reach any port of theirs, by whatever \
        protocol; a rule need not name ICMP. `tests` of the policy look at rules for ICMP alone.";
    assert_eq!(told.notes, [note]);
    let told = ask(json!({ "ask": "who_reaches", "to": "web" })).await;
    assert_eq!(told.sentence, "One machine may reach web on icmp.");
    assert_eq!(told.entrances[0].ports, "icmp");
    assert_eq!(
        told.entrances[0].sources[0].people.first,
        ["bob@acme.example"]
    );
    assert_eq!(told.notes, [note]);

    let told = ask(json!({ "ask": "reach", "from": "web", "to": "db" })).await;
    assert_eq!(
        (told.verdict, told.notes.len()),
        (Verdict::Denied, 0),
        "capabilities open nothing"
    );
    let told = ask(json!({ "ask": "reach", "from": "web", "to": "laptop" })).await;
    assert_eq!(told.verdict, Verdict::Denied);
}

#[tokio::test]
async fn one_s_own_machines_are_reached_by_their_owner_alone() {
    const OWN: &str = r#"{"acls": [
        {"action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self:22"]},
    ]}"#;
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let eve = app.member(tenant, "eve", Role::Member).await;
    app.node(tenant, "laptop", NodeOwner::User(bob.user)).await;
    app.node(tenant, "phone", NodeOwner::User(bob.user)).await;
    app.node(tenant, "tablet", NodeOwner::User(eve.user)).await;
    let path = PolicyExplainPath { tenant }.to_path();
    let question =
        json!({ "ask": "who_reaches", "to": "bob@acme.example", "traffic": { "ports": "22" } });
    let body = json!({ "document": OWN, "question": question });
    let told = ada.posts(&path, &body).await.ok::<Explained>();
    assert_eq!(
        told.sentence,
        "2 machines may reach bob@acme.example on tcp port 22."
    );
    let [entrance] = &told.entrances[..] else {
        panic!("{told:?}");
    };
    let source = &entrance.sources[0];
    assert_eq!(source.people.first, ["bob@acme.example"]);
    assert_eq!(source.machines.first, ["laptop", "phone"]);
}
