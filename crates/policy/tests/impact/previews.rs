//! Small tenants, and what is told of their changes.

use policy::{
    Directory, Node, NodeFacts, User,
    impact::{Bounds, Impact, Parties, Side, impact},
};
use wire::{NodeId, UserId, api::Role};

struct Tenant {
    document: policy::Document,
    directory: Directory,
    nodes: Vec<NodeFacts>,
}

const NAMES: [&str; 6] = [
    "ada-laptop",
    "bob-laptop",
    "bob-phone",
    "web-1",
    "web-2",
    "router",
];

impl Tenant {
    fn new(rules: &str) -> Self {
        let text = format!(
            r#"{{"groups": {{"group:ops": ["ada@example.com", "bob@example.com"], "group:few": ["ada@example.com"]}},
                "hosts": {{"office": "10.1.2.0/24"}},
                "tagOwners": {{"tag:web": [], "tag:db": [], "tag:r": []}}, {rules}}}"#
        );
        let (document, found) = policy::parse(&text);
        assert!(!policy::has_errors(&found), "{found:#?}");
        let user = |id, name: &str| User {
            id: UserId(id),
            email: format!("{name}@example.com"),
            role: Role::Member,
        };
        let node = |last: u8, user: u64, tag: &str| NodeFacts {
            user: Some(UserId(user)),
            tags: Some(tag)
                .filter(|t| !t.is_empty())
                .map(str::to_owned)
                .into_iter()
                .collect(),
            addresses: vec![format!("100.64.0.{last}").parse().unwrap()],
            ..NodeFacts::default()
        };
        let mut router = node(6, 1, "tag:r");
        router.routes = vec!["10.1.0.0/16".parse().unwrap()];
        Self {
            document,
            directory: Directory {
                users: vec![user(1, "ada"), user(2, "bob")],
                routes: router.routes.clone(),
                ..Directory::default()
            },
            nodes: vec![
                node(1, 1, ""),
                node(2, 2, ""),
                node(3, 2, ""),
                node(4, 1, "tag:web"),
                node(5, 1, "tag:web"),
                router,
            ],
        }
    }

    fn to(&self, after: &Self) -> Impact {
        let (a, b) = (nodes(self), nodes(after));
        impact(&side(self, &a), &side(after, &b), Bounds::default())
    }
}

fn nodes(tenant: &Tenant) -> Vec<Node<'_>> {
    let all = (1..).map(NodeId).zip(NAMES).zip(&tenant.nodes);
    all.map(|((id, name), facts)| Node { id, name, facts })
        .collect()
}

fn side<'a>(tenant: &'a Tenant, nodes: &'a [Node<'a>]) -> Side<'a> {
    Side {
        document: &tenant.document,
        directory: &tenant.directory,
        nodes,
    }
}

fn names(parties: &Parties) -> Vec<&str> {
    parties.shown.iter().map(|p| p.text.as_str()).collect()
}

fn acl(src: &str, dst: &str) -> String {
    format!(r#""acls": [{{"action": "accept", "src": [{src}], "dst": [{dst}]}}]"#)
}

#[test]
fn a_new_rule_is_told_by_its_own_words() {
    let before = Tenant::new(r#""acls": []"#);
    let after = Tenant::new(&acl(r#""group:ops""#, r#""tag:web:22", "office:22""#));
    let impact = before.to(&after);
    let [change] = &impact.gained.traffic.shown[..] else {
        panic!("{impact:#?}");
    };
    assert_eq!(names(&change.who), ["group:ops"]);
    assert_eq!(names(&change.to), ["tag:web", "office"]);
    assert_eq!(
        (change.flows, change.who.people, change.who.devices),
        (9, 2, 3)
    );
    assert_eq!(impact.gained.traffic.flows, 9);
    assert_eq!(impact.lost, policy::impact::Difference::default());
}

#[test]
fn a_retag_is_previewed() {
    let rules = acl(r#""group:ops""#, r#""tag:web:443", "tag:db:5432""#);
    let before = Tenant::new(&rules);
    let mut after = Tenant::new(&rules);
    after.nodes[4].tags = vec!["tag:db".to_owned()];
    let impact = before.to(&after);
    let lost = &impact.lost.traffic.shown[0];
    assert_eq!(
        (names(&lost.who), names(&lost.to)),
        (vec!["group:ops"], vec!["web-2"])
    );
    let gained = &impact.gained.traffic.shown[0];
    // It is the only one with the tag.
    assert_eq!(
        (names(&gained.who), names(&gained.to)),
        (vec!["group:ops"], vec!["tag:db"])
    );
    assert_eq!((gained.flows, lost.flows), (3, 3));
}

#[test]
fn a_member_more_is_told_by_name() {
    let rules = acl(r#""group:few""#, r#""tag:web:*""#);
    let before = Tenant::new(&rules);
    let mut after = Tenant::new(&rules);
    let few = after
        .document
        .groups
        .iter_mut()
        .find(|g| g.name.text == "group:few")
        .unwrap();
    let mut member = few.members[0].clone();
    member.text = "bob@example.com".to_owned();
    few.members.push(member);
    let impact = before.to(&after);
    let gained = &impact.gained.traffic.shown[0];
    assert_eq!(
        (names(&gained.who), names(&gained.to)),
        (vec!["bob@example.com"], vec!["tag:web"])
    );
    assert_eq!(gained.who.devices, 2);
    let back = after.to(&before);
    assert_eq!(names(&back.lost.traffic.shown[0].who), ["bob@example.com"]);
    assert_eq!(back.cut_off.people[0].text, "bob@example.com");
    assert!(back.cut_off.devices.is_empty());
}

#[test]
fn an_own_device_is_lost_to_its_user_when_it_gets_a_tag() {
    let rules = acl(r#""autogroup:member""#, r#""autogroup:self:*""#);
    let before = Tenant::new(&rules);
    let mut after = Tenant::new(&rules);
    after.nodes[2].tags = vec!["tag:db".to_owned()];
    let impact = before.to(&after);
    let lost = &impact.lost.traffic.shown[0];
    assert_eq!(
        (names(&lost.who), names(&lost.to)),
        (vec!["bob@example.com"], vec!["autogroup:self"])
    );
    assert_eq!(lost.flows, 2);
    assert_eq!(impact.cut_off.people[0].text, "bob@example.com");
}

#[test]
fn a_sign_in_is_gained_where_a_rule_of_ssh_and_the_port_are_open() {
    let ssh = |action: &str| {
        format!(
            r#", "ssh": [{{"action": "{action}", "src": ["group:ops"], "dst": ["tag:web"], "users": ["root"]}}]"#
        )
    };
    let shut = acl(r#""group:ops""#, r#""tag:web:443""#);
    let open = acl(r#""ada@example.com""#, r#""tag:web:20-30""#);
    let with = |rules: &str, action: &str| format!("{rules}{}", ssh(action));
    // Sign-ins gained and lost from the one to the other.
    let change = |before: &str, after: &str| {
        let impact = Tenant::new(before).to(&Tenant::new(after));
        let told = &impact.gained.sign_ins;
        let who = told.shown.first().map(|change| change.who.clone());
        let who = who.iter().flat_map(names).map(str::to_owned).collect();
        (told.flows, impact.lost.sign_ins.flows, who)
    };
    let nobody = Vec::<String>::new;
    let ada = || vec!["ada@example.com".to_owned()];
    assert_eq!(change(&shut, &with(&shut, "accept")), (0, 0, nobody()));
    assert_eq!(change(&open, &with(&open, "accept")), (2, 0, ada()));
    // The rule of `ssh` was there before.
    assert_eq!(
        change(&with(&shut, "accept"), &with(&open, "accept")),
        (2, 0, ada())
    );
    assert_eq!(
        change(&with(&open, "accept"), &with(&shut, "accept")),
        (0, 2, nobody())
    );
    // A check turns away.
    assert_eq!(change(&open, &with(&open, "check")), (0, 0, nobody()));
    assert_eq!(
        change(&with(&open, "accept"), &with(&open, "check")),
        (0, 2, nobody())
    );
}
