//! Explanations of sign-ins by SSH: a rule of `ssh`, an open port, a machine that runs it.

use wire::api::policy::explain::{Explained, Verdict};

use super::*;
use crate::db::NodeOwner;

const LAW: &str = r#"{
  "groups": {"group:dev": ["bob@acme.example", "cy@acme.example"]},
  "tagOwners": {"tag:web": [], "tag:gate": []},
  "hosts": {"nas": "10.20.0.9"},
  "acls": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web:443"]},
    {"action": "accept", "src": ["bob@acme.example"], "dst": ["tag:web:22", "tag:gate:22"]},
    {"action": "accept", "src": ["group:dev"], "dst": ["nas:*"]},
  ],
  "ssh": [
    {"action": "check", "src": ["group:dev"], "dst": ["tag:web"], "users": ["root", "ops"]},
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web", "tag:gate"], "users": ["deploy", "ops"]},
  ],
}"#;

struct Office {
    /// The server runs as long as it.
    _app: TestApp,
    tenant: TenantId,
    ada: Persona,
}

/// Bob with a laptop and a phone, Cy with a mac, a web machine that runs SSH, and a router with an
/// approved route that does not.
async fn office() -> Office {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    let cy = app.member(tenant, "cy", Role::Member).await;
    for name in ["laptop", "phone"] {
        app.node(tenant, name, NodeOwner::User(bob.user)).await;
    }
    app.node(tenant, "mac", NodeOwner::User(cy.user)).await;
    let tags = |tag: &str| NodeOwner::Tags(vec![tag.parse().unwrap()]);
    app.node_that(tenant, "web", tags("tag:web"), |new| {
        new.hostinfo.ssh_host_keys = vec!["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5".to_owned()];
    })
    .await;
    let gate = app
        .node_that(tenant, "gate", tags("tag:gate"), |new| {
            new.hostinfo.routable_ips = vec!["10.20.0.0/16".parse().unwrap()];
        })
        .await;
    let path = NodeRoutesPath {
        tenant,
        node: gate.id,
    };
    let body = json!({ "approve": ["10.20.0.0/16"] });
    ada.patches(&path.to_path(), &body).await.done();
    Office {
        _app: app,
        tenant,
        ada,
    }
}

impl Office {
    async fn asks(&self, question: Value) -> crate::testing::Answer {
        let path = PolicyExplainPath {
            tenant: self.tenant,
        };
        let body = json!({ "document": LAW, "question": question });
        self.ada.posts(&path.to_path(), &body).await
    }

    async fn sign_in(&self, from: &str, to: &str, login: &str) -> Explained {
        let question = json!({ "ask": "sign_in", "from": from, "to": to, "login": login });
        self.asks(question).await.ok()
    }

    async fn who(&self, to: &str, login: &str) -> Explained {
        let question = json!({ "ask": "who_signs_in", "to": to, "login": login });
        self.asks(question).await.ok()
    }
}

#[tokio::test]
async fn a_sign_in_takes_a_rule_of_ssh_and_port_22() {
    let office = office().await;
    let told = office.sign_in("laptop", "web", "deploy").await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(told.sentence, "laptop may sign in to web as deploy.");
    assert!(told.notes.is_empty(), "{:?}", told.notes);
    assert_eq!(told.cases[0].chains[0].rule.name, "rule 2 of ssh");

    let told = office.sign_in("cy@acme.example", "web", "deploy").await;
    assert_eq!(told.verdict, Verdict::Denied);
    assert_eq!(
        told.sentence,
        "cy@acme.example may not sign in to web as deploy: rule 2 of `ssh` lets it in, but no rule \
         of `acls` or `grants` opens tcp port 22, without which nobody signs in."
    );
    let denied = told.cases[0].denied.as_ref().unwrap();
    assert_eq!(denied.cause, "port_22");
    assert_eq!(denied.nearest[0].rule.name, "rule 1 of acls");
    assert_eq!(denied.nearest[0].missing, ["the rule is for other ports"]);
    assert_eq!(told.cases[0].chains[0].rule.name, "rule 2 of ssh");

    let told = office.sign_in("group:dev", "web", "deploy").await;
    assert_eq!(told.verdict, Verdict::Partly, "{told:?}");
    let told = office.sign_in("laptop", "web", "bob").await;
    assert_eq!(told.cases[0].denied.as_ref().unwrap().cause, "login");

    let told = office.who("tag:web", "deploy").await;
    assert_eq!(
        told.sentence,
        "From 2 machines somebody may sign in to tag:web as deploy."
    );
    let [entrance] = &told.entrances[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (entrance.rule.name.as_str(), entrance.ports.as_str()),
        ("rule 2 of ssh", "")
    );
    assert_eq!(entrance.sources[0].people.first, ["bob@acme.example"]);
    assert_eq!(entrance.sources[0].machines.first, ["laptop", "phone"]);
    let told = office.who("laptop", "root").await;
    assert_eq!((told.verdict, told.entrances.len()), (Verdict::Denied, 0));
}

#[tokio::test]
async fn whom_a_check_turns_away_is_not_among_those_who_may() {
    let office = office().await;
    let told = office.sign_in("laptop", "web", "root").await;
    assert_eq!(told.verdict, Verdict::Denied);
    assert!(told.sentence.contains("cannot check"), "{}", told.sentence);
    assert_eq!(told.cases[0].denied.as_ref().unwrap().cause, "check");

    let told = office.who("tag:web", "root").await;
    assert_eq!(told.verdict, Verdict::Denied);
    assert_eq!(told.sentence, "Nobody may sign in to tag:web as root.");
    let [entrance] = &told.entrances[..] else {
        panic!("{told:?}")
    };
    let why = entrance.shut.as_deref().unwrap();
    assert!(why.contains("cannot check"), "{why}");

    // A check comes first where another rule lets the same in, and is told last.
    for to in ["tag:web", "tag:gate"] {
        let told = office.who(to, "ops").await;
        let shut = told.entrances.iter().map(|e| e.shut.is_some());
        assert_eq!(shut.collect::<Vec<_>>(), [to == "tag:web"], "{told:?}");
    }
    let told = office.who("autogroup:tagged", "ops").await;
    let shut: Vec<_> = told.entrances.iter().map(|e| e.shut.is_some()).collect();
    assert_eq!(shut, [false, true], "{told:?}");
}

#[tokio::test]
async fn only_machines_take_sign_ins() {
    let office = office().await;
    for place in ["nas", "10.20.0.0/16"] {
        let told = office.sign_in("laptop", place, "deploy").await;
        assert_eq!(told.verdict, Verdict::Denied);
        assert_eq!(
            told.sentence,
            format!(
                "laptop may not sign in to {place} as deploy: only machines of the mesh take \
                 sign-ins by `ssh` rules, and this is none."
            )
        );
        let told = office.who(place, "deploy").await;
        assert_eq!((told.verdict, told.entrances.len()), (Verdict::Denied, 0));
        assert!(told.notes[0].contains("only machines"), "{:?}", told.notes);
    }
    let told = office.sign_in("nas", "web", "deploy").await;
    assert_eq!(
        told.cases[0].denied.as_ref().unwrap().cause,
        "source_outside"
    );
}

#[tokio::test]
async fn places_behind_one_router_and_a_machine_itself_are_told_apart() {
    let office = office().await;
    for (from, to) in [("nas", "10.20.0.0/16"), ("gate", "nas")] {
        let told = office.sign_in(from, to, "deploy").await;
        assert_eq!(told.verdict, Verdict::Denied);
        assert_eq!(
            told.sentence,
            format!(
                "{from} may not sign in to {to} as deploy: only machines of the mesh take sign-ins by \
                 `ssh` rules, and this is none."
            )
        );
    }
    let told = office.sign_in("nas", "gate", "deploy").await;
    assert!(
        told.sentence.contains("sign-ins come from machines"),
        "{}",
        told.sentence
    );
    let told = office.sign_in("laptop", "laptop", "deploy").await;
    assert_eq!(told.verdict, Verdict::Unasked);
    assert_eq!(
        told.sentence,
        "laptop is one machine: a machine signs in to itself without the mesh."
    );
    let told = office.sign_in("tag:web", "tag:web", "deploy").await;
    assert_eq!(told.verdict, Verdict::Denied);
    assert_eq!(
        told.sentence,
        "only web has tag:web; web may not sign in to a second machine with tag:web as deploy: the \
         source is not in `src`."
    );
}

#[tokio::test]
async fn a_machine_that_does_not_run_ssh_is_named() {
    let office = office().await;
    let note =
        "gate does not run Tailscale-compatible SSH now: `tailscale set --ssh` on it starts it.";
    let told = office.sign_in("laptop", "gate", "deploy").await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(told.notes, [note]);
    let told = office.who("autogroup:tagged", "deploy").await;
    assert_eq!(told.notes, [note]);
    // Nobody is let in: it does not matter.
    let told = office.sign_in("mac", "gate", "deploy").await;
    assert_eq!(told.verdict, Verdict::Denied);
    assert!(told.notes.is_empty(), "{:?}", told.notes);
}

#[tokio::test]
async fn several_login_names_are_no_login_name() {
    let office = office().await;
    for login in ["autogroup:nonroot", "localpart:*@acme.example", "*"] {
        for question in [
            json!({ "ask": "sign_in", "from": "laptop", "to": "web", "login": login }),
            json!({ "ask": "who_signs_in", "to": "web", "login": login }),
        ] {
            let problem = office.asks(question).await.problem(Code::Invalid);
            let told = format!("{problem:?}");
            assert!(told.contains("/question/login"), "{told}");
            assert!(told.contains("stands for several login names"), "{told}");
        }
    }
}
