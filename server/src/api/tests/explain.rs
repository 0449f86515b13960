use wire::api::policy::explain::{Explained, Verdict};

use super::*;
use crate::db::NodeOwner;

const LAW: &str = r#"{
  "groups": {"group:dev": ["bob@acme.example"]},
  "tagOwners": {"tag:web": []},
  "acls": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web:443"]},
  ],
  "ssh": [
    {"action": "check", "src": ["group:dev"], "dst": ["tag:web"], "users": ["root"]},
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web"], "users": ["deploy"]},
  ],
  "tests": [{"src": "bob@acme.example", "accept": ["tag:web:443"], "deny": ["tag:web:22"]}],
}"#;

/// Bob with a laptop, a web machine, and Ada who asks.
async fn world() -> (TestApp, TenantId, Persona) {
    let (app, tenant, ada) = acme().await;
    let bob = app.member(tenant, "bob", Role::Member).await;
    app.node(tenant, "laptop", NodeOwner::User(bob.user)).await;
    let tags = vec!["tag:web".parse().unwrap()];
    app.node(tenant, "web", NodeOwner::Tags(tags)).await;
    (app, tenant, ada)
}

async fn asked(who: &Persona, tenant: TenantId, question: Value) -> crate::testing::Answer {
    let body = json!({ "document": LAW, "question": question });
    who.posts(&PolicyExplainPath { tenant }.to_path(), &body)
        .await
}

#[tokio::test]
async fn a_draft_explains_whom_it_lets_through_by_which_rule_and_why() {
    let (_app, tenant, ada) = world().await;
    let question = json!({
        "ask": "reach", "from": "bob@acme.example", "to": "tag:web",
        "traffic": { "protocol": "tcp", "ports": "443" },
    });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(
        told.sentence,
        "bob@acme.example may reach tag:web on tcp port 443."
    );
    let chain = &told.cases[0].chains[0];
    assert_eq!(
        (chain.rule.name.as_str(), chain.rule.place.unwrap().line),
        ("rule 1 of acls", 5)
    );
    assert!(chain.steps[0].text.contains("group:dev"), "{chain:?}");
    assert_eq!(
        chain.steps[0].place.unwrap().line,
        2,
        "where the group lists him"
    );

    let question = json!({
        "ask": "reach", "from": "bob@acme.example", "to": "web",
        "traffic": { "ports": "22" },
    });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(told.verdict, Verdict::Denied);
    let denied = told.cases[0].denied.as_ref().unwrap();
    assert_eq!(denied.cause, "port");
    assert_eq!(denied.nearest[0].rule.name, "rule 1 of acls");
    let question = json!({
        "ask": "reach", "from": "laptop", "to": "web", "traffic": { "ports": "400-500" },
    });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(told.verdict, Verdict::Partly);
    assert!(
        told.sentence.contains("tcp port 443, and not on the rest"),
        "{}",
        told.sentence
    );
}

#[tokio::test]
async fn lists_of_ports_and_names_of_services_are_asked_about_together() {
    let (_app, tenant, ada) = world().await;
    for (ports, said) in [
        ("https", "laptop may reach web on tcp port 443."),
        (
            "22,5432",
            "laptop may not reach web on tcp ports 22,5432: the rule is for other ports.",
        ),
        (
            "ssh, https, 8000-8010",
            "laptop may reach web on tcp port 443, and not on the rest of tcp ports 22,443,8000-8010.",
        ),
        (
            "*",
            "laptop may reach web on tcp port 443, and on no other tcp port.",
        ),
    ] {
        let question = json!({
            "ask": "reach", "from": "laptop", "to": "web", "traffic": { "ports": ports },
        });
        let told = asked(&ada, tenant, question).await.ok::<Explained>();
        assert_eq!(told.sentence, said, "{ports}");
    }
    let question = json!({
        "ask": "who_reaches", "to": "web", "traffic": { "ports": "22,https" },
    });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(
        told.sentence,
        "One machine may reach web on some of tcp ports 22,443."
    );
    assert_eq!(told.entrances[0].ports, "443");
    let question = json!({
        "ask": "reach", "from": "laptop", "to": "web",
        "traffic": { "protocol": "icmp", "ports": "22" },
    });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(told.sentence, "laptop may reach web on icmp.");
}

#[tokio::test]
async fn who_reaches_a_place_is_explained_too() {
    let (_app, tenant, ada) = world().await;
    let question = json!({ "ask": "who_reaches", "to": "web", "traffic": { "ports": "443" } });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!(told.sentence, "One machine may reach web on tcp port 443.");
    let source = &told.entrances[0].sources[0];
    assert_eq!(source.selector, "group:dev");
    assert_eq!(source.people.first, ["bob@acme.example"]);
    assert_eq!(source.machines.first, ["laptop"]);
    let question = json!({ "ask": "who_reaches", "to": "laptop" });
    let told = asked(&ada, tenant, question).await.ok::<Explained>();
    assert_eq!((told.verdict, told.entrances.len()), (Verdict::Denied, 0));
}

#[tokio::test]
async fn the_policy_in_force_and_a_past_revision_explain_as_well() {
    let (_app, tenant, ada) = world().await;
    let path = PolicyPath { tenant }.to_path();
    let first = ada.gets(&path).await.ok::<wire::api::policy::Policy>();
    let body = json!({ "document": LAW, "base": first.revision.id });
    ada.puts(&path, &body).await.done();
    let question = json!({ "ask": "reach", "from": "laptop", "to": "web" });
    let explain = PolicyExplainPath { tenant }.to_path();
    let now = ada.posts(&explain, &json!({ "question": question })).await;
    assert_eq!(now.ok::<Explained>().verdict, Verdict::Partly);
    let body = json!({ "question": question, "revision": first.revision.id });
    let then = ada.posts(&explain, &body).await.ok::<Explained>();
    let rule = &then.cases[0].chains.first();
    assert!(rule.is_none_or(|chain| !chain.rule.name.is_empty()));
    let both = json!({ "question": question, "revision": first.revision.id, "document": LAW });
    let problem = ada.posts(&explain, &both).await.problem(Code::Invalid);
    assert_eq!(problem.errors[0].pointer, "/revision");
}

#[tokio::test]
async fn a_question_that_makes_no_sense_names_its_field() {
    let (_app, tenant, ada) = world().await;
    for (question, pointer, said) in [
        (
            json!({ "ask": "reach", "from": "", "to": "web" }),
            "/question/from",
            "name a user",
        ),
        (
            json!({ "ask": "reach", "from": "laptop", "to": "wbe" }),
            "/question/to",
            "did you mean `web`?",
        ),
        (
            json!({ "ask": "reach", "from": "laptop", "to": "web", "traffic": { "ports": "22,htps" } }),
            "/question/traffic/ports",
            "did you mean `https`?",
        ),
        (
            json!({ "ask": "reach", "from": "laptop", "to": "web", "traffic": { "protocol": "tpc" } }),
            "/question/traffic/protocol",
            "no protocol",
        ),
        (
            json!({ "ask": "sign_in", "from": "laptop", "to": "web", "login": " " }),
            "/question/login",
            "whom",
        ),
        (
            json!({ "ask": "who_reaches", "to": "x".repeat(999) }),
            "/question/to",
            "long",
        ),
    ] {
        let problem = asked(&ada, tenant, question).await.problem(Code::Invalid);
        assert_eq!(problem.errors.len(), 1, "{problem:?}");
        assert_eq!(problem.errors[0].pointer, pointer);
        assert!(
            problem.errors[0].detail.contains(said),
            "{:?}",
            problem.errors
        );
    }
    let question = json!({
        "ask": "reach", "from": "lap", "to": "wbe", "traffic": { "ports": "90-80" },
    });
    let problem = asked(&ada, tenant, question).await.problem(Code::Invalid);
    assert_eq!(problem.errors.len(), 3, "every field at once: {problem:?}");
    let body = json!({ "document": "{", "question": { "ask": "who_reaches", "to": "web" } });
    let answer = ada
        .posts(&PolicyExplainPath { tenant }.to_path(), &body)
        .await;
    assert_eq!(
        answer.problem(Code::PolicyInvalid).diagnostics[0].code,
        "syntax"
    );
}

#[tokio::test]
async fn a_check_says_what_came_of_the_documents_own_tests() {
    let (_app, tenant, ada) = world().await;
    let path = PolicyCheckPath { tenant }.to_path();
    let check = async |document: &str| {
        let answer = ada.posts(&path, &json!({ "document": document })).await;
        answer.ok::<wire::api::policy::CheckedPolicy>()
    };
    let run = check(LAW).await.tests.unwrap();
    assert_eq!((run.held, run.failed, run.places.len()), (2, 0, 2));
    let run = check(&LAW.replace("tag:web:22", "tag:web:443"))
        .await
        .tests
        .unwrap();
    assert_eq!((run.held, run.failed), (1, 1));
    assert!(!run.places[1].holds);
    assert_eq!(check("{").await.tests, None, "they are not run");
}

#[tokio::test]
async fn a_posture_that_is_not_met_is_told_with_what_the_machine_reports() {
    let (_app, tenant, ada) = world().await;
    let document = LAW.replace(
        r#""acls": ["#,
        r#""postures": {"posture:mac": ["node:os == 'macos'"]}, "defaultSrcPosture": ["posture:mac"], "acls": ["#,
    );
    let question = json!({
        "ask": "reach", "from": "laptop", "to": "web", "traffic": { "ports": "443" },
    });
    let body = json!({ "document": document, "question": question });
    let told = ada
        .posts(&PolicyExplainPath { tenant }.to_path(), &body)
        .await;
    let told = told.ok::<Explained>();
    let denied = told.cases[0].denied.as_ref().unwrap();
    assert_eq!(denied.cause, "default_posture");
    assert_eq!(
        denied.text,
        "the rule names no posture, and the source device does not meet the default \
         (`defaultSrcPosture`)"
    );
    let missing = &denied.nearest[0].missing[0];
    let expected = "`posture:mac` asks for `node:os == 'macos'`, and the device has 'linux'";
    assert!(missing.ends_with(expected), "{missing}");

    let question = json!({ "ask": "sign_in", "from": "laptop", "to": "web", "login": "root" });
    let body = json!({ "document": document, "question": question });
    let told = ada
        .posts(&PolicyExplainPath { tenant }.to_path(), &body)
        .await;
    let told = told.ok::<Explained>();
    assert_eq!(told.cases[0].denied.as_ref().unwrap().cause, "posture");
}

#[tokio::test]
async fn a_posture_is_the_cause_only_where_meeting_it_helps_and_who_can_names_it() {
    let (_app, tenant, ada) = world().await;
    let path = PolicyExplainPath { tenant }.to_path();
    let document = |os: &str, own: &str, default: &str| {
        LAW.replace(
            r#""acls": ["#,
            &format!(
                r#""postures": {{"posture:os": ["node:os == '{os}'"]}}, {default} "acls": [
                   {{"action": "accept", "src": ["group:dev"], "dst": ["tag:web:81"]{own}}},"#
            ),
        )
    };
    let own = r#", "srcPosture": ["posture:os"]"#;
    let reach = |ports: &str| json!({ "ask": "reach", "from": "laptop", "to": "web", "traffic": { "ports": ports } });
    for (ports, said) in [
        (
            "81",
            "laptop may not reach web on tcp port 81: the source device does not meet the rule's \
             postures.",
        ),
        (
            "82",
            "laptop may not reach web on tcp port 82: the rule is for other ports.",
        ),
    ] {
        let body = json!({ "document": document("macos", own, ""), "question": reach(ports) });
        let told = ada.posts(&path, &body).await.ok::<Explained>();
        assert_eq!(told.sentence, said);
    }
    let who = json!({ "ask": "who_reaches", "to": "web", "traffic": { "ports": "81" } });
    let default = r#""defaultSrcPosture": ["posture:os"],"#;
    for (own, default, said) in [
        (own, "", "a source machine must meet `posture:os`"),
        (
            "",
            default,
            "the rule names no posture: a source machine must meet the default, `posture:os`",
        ),
    ] {
        let body = json!({ "document": document("linux", own, default), "question": who });
        let told = ada.posts(&path, &body).await.ok::<Explained>();
        assert_eq!(told.entrances[0].posture.as_ref().unwrap().text, said);
    }
}

const AHEAD: &str = r#"{
  "groups": {"group:dev": ["bob@acme.example", "dave@acme.example"]},
  "tagOwners": {"tag:web": [], "tag:ci": []},
  "hosts": {"office": "10.20.0.0/16", "nas": "10.20.0.9"},
  "acls": [
    {"action": "accept", "src": ["group:dev"], "dst": ["tag:web:443", "tag:ci:22"]},
    {"action": "accept", "src": ["dave@acme.example", "tag:ci"], "dst": ["tag:web:8443", "tag:web:22"]},
    {"action": "accept", "src": ["office"], "dst": ["tag:web:81"]},
    {"action": "accept", "src": ["nas", "*"], "dst": ["tag:web:82"]},
  ],
  "ssh": [{"action": "accept", "src": ["dave@acme.example"], "dst": ["tag:web"], "users": ["deploy"]}],
}"#;

async fn ahead(who: &Persona, tenant: TenantId, question: Value) -> Explained {
    let body = json!({ "document": AHEAD, "question": question });
    let path = PolicyExplainPath { tenant }.to_path();
    who.posts(&path, &body).await.ok::<Explained>()
}

#[tokio::test]
async fn people_and_tags_without_a_machine_are_answered_for() {
    let (app, tenant, ada) = world().await;
    app.member(tenant, "dave", Role::Member).await;
    let reach = |from: &str, to: &str, ports: &str| json!({ "ask": "reach", "from": from, "to": to, "traffic": { "ports": ports } });
    let told = ahead(&ada, tenant, reach("dave@acme.example", "web", "8443")).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(
        told.sentence,
        "dave@acme.example has no machine yet; a machine of dave@acme.example may reach web on \
         tcp port 8443."
    );
    assert_eq!(told.cases[0].chains[0].rule.name, "rule 2 of acls");
    let told = ahead(&ada, tenant, reach("dave@acme.example", "web", "23")).await;
    assert_eq!(told.verdict, Verdict::Denied);
    let told = ahead(&ada, tenant, reach("laptop", "tag:ci", "22")).await;
    assert_eq!(
        told.sentence,
        "no machine has tag:ci yet; laptop may reach a machine with tag:ci on tcp port 22."
    );
    let told = ahead(&ada, tenant, reach("group:dev", "web", "443")).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert!(
        told.notes[0].starts_with("dave@acme.example has no machine yet"),
        "{:?}",
        told.notes
    );
    let question = json!({
        "ask": "sign_in", "from": "dave@acme.example", "to": "web", "login": "deploy",
    });
    let told = ahead(&ada, tenant, question).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert!(told.sentence.contains("a machine of dave"), "{told:?}");

    let who =
        |ports: &str| json!({ "ask": "who_reaches", "to": "web", "traffic": { "ports": ports } });
    let told = ahead(&ada, tenant, who("8443")).await;
    assert_eq!(told.verdict, Verdict::Allowed);
    assert_eq!(
        told.sentence,
        "No machine may reach web on tcp port 8443 yet; machines of 2 people or tags that have \
         none yet could."
    );
    let sources = &told.entrances[0].sources;
    assert_eq!(sources[0].without_machine.first, ["dave@acme.example"]);
    assert_eq!(sources[1].without_machine.first, ["tag:ci"]);
    assert!(sources.iter().all(|source| source.machines.is_empty()));
    let told = ahead(&ada, tenant, who("443")).await;
    assert_eq!(
        told.sentence,
        "One machine may reach web on tcp port 443; a machine of dave@acme.example could too."
    );
    let question = json!({ "ask": "who_signs_in", "to": "web", "login": "deploy" });
    let told = ahead(&ada, tenant, question).await;
    assert_eq!(
        told.sentence,
        "Nobody may sign in to web as deploy yet; from a machine of dave@acme.example somebody could."
    );
}

#[tokio::test]
async fn hosts_behind_an_approved_route_are_among_those_who_reach_a_place() {
    let (app, tenant, ada) = world().await;
    let who =
        |ports: &str| json!({ "ask": "who_reaches", "to": "web", "traffic": { "ports": ports } });
    let tags = vec!["tag:gate".parse().unwrap()];
    let gate = app
        .node_that(tenant, "gate", NodeOwner::Tags(tags), |new| {
            new.hostinfo.routable_ips = vec!["10.20.0.0/17".parse().unwrap()];
        })
        .await;
    let told = ahead(&ada, tenant, who("81")).await;
    assert_eq!(told.sentence, "Nobody may reach web on tcp port 81.");
    let path = NodeRoutesPath {
        tenant,
        node: gate.id,
    }
    .to_path();
    let body = json!({ "approve": ["10.20.0.0/17"] });
    ada.patches(&path, &body).await.done();
    let told = ahead(&ada, tenant, who("81")).await;
    assert_eq!(
        told.sentence,
        "Hosts behind subnet routers may reach web on tcp port 81."
    );
    let source = &told.entrances[0].sources[0];
    assert_eq!(source.selector, "office");
    assert_eq!(source.addresses.first, ["10.20.0.0/17 behind gate"]);
    let told = ahead(&ada, tenant, who("82")).await;
    let sources = &told.entrances[0].sources;
    assert_eq!(sources[0].addresses.first, ["10.20.0.9 behind gate"]);
    assert_eq!(sources[1].addresses.first, ["10.20.0.0/17 behind gate"]);
    assert!(sources[1].machines.total >= 2, "{:?}", sources[1]);
}
