//! A large tenant from a seed: the same seed gives the same tenant everywhere.

use std::{fmt::Write as _, net::Ipv4Addr};

use policy::{Directory, NodeFacts, User};
use wire::{
    UserId,
    api::Role,
    net::{Prefix, mesh_ipv6_of},
};

/// A tenant.
#[derive(Debug, Clone)]
pub(crate) struct World {
    /// The policy.
    pub(crate) text: String,
    /// The people and routes.
    pub(crate) directory: Directory,
    /// The nodes.
    pub(crate) nodes: Vec<NodeFacts>,
}

/// How large a tenant is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) nodes: u32,
    pub(crate) users: u32,
    pub(crate) groups: u32,
    /// The largest group.
    pub(crate) members: u32,
    pub(crate) tags: u32,
    pub(crate) rules: u32,
    pub(crate) routers: u32,
    /// Routes of each router.
    pub(crate) routes: u32,
}

/// The tenant that the figures are about.
pub(crate) const LARGE: Size = Size {
    nodes: 10_000,
    users: 2_000,
    groups: 200,
    members: 400,
    tags: 100,
    rules: 1_000,
    routers: 50,
    routes: 10,
};

/// `SplitMix64`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    fn below(&mut self, n: u32) -> u32 {
        u32::try_from(self.roll() % u64::from(n.max(1))).unwrap_or(0)
    }

    /// From 1 to `most`, small ones far more often: as groups of people are.
    fn skewed(&mut self, most: u32) -> u32 {
        let roll = u64::from(self.below(1_000));
        let share = roll.pow(4) * u64::from(most - 1) / 1_000_u64.pow(4);
        1 + u32::try_from(share).unwrap_or(0)
    }
}

/// Makes a tenant.
pub(crate) fn world(size: Size, seed: u64) -> World {
    let mut dice = Dice(seed);
    let nodes = nodes(size, &mut dice);
    let users = (0..size.users).map(|n| User {
        id: UserId(u64::from(n) + 1),
        email: email(n),
        role: if n < 3 { Role::Admin } else { Role::Member },
    });
    let mut directory = Directory {
        users: users.collect(),
        ..Directory::default()
    };
    directory.domains = vec!["example.com".to_owned()];
    directory.routes = nodes
        .iter()
        .flat_map(|n| n.routes.iter().copied())
        .collect();
    World {
        text: text(size, &mut dice),
        directory,
        nodes,
    }
}

fn email(user: u32) -> String {
    format!("user{user}@example.com")
}

fn nodes(size: Size, dice: &mut Dice) -> Vec<NodeFacts> {
    (0..size.nodes)
        .map(|n| {
            let v4 = Ipv4Addr::from_bits(0x6440_0001 + n);
            let mut node = NodeFacts {
                addresses: vec![v4.into(), mesh_ipv6_of(v4).into()],
                ..NodeFacts::default()
            };
            if n < size.routers {
                node.tags = vec![router(n)];
                node.routes = (0..size.routes).map(|r| route(n, r)).collect();
            } else if dice.below(5) == 0 {
                node.tags = vec![tag(dice.below(size.tags))];
            } else {
                node.user = Some(UserId(u64::from(dice.below(size.users)) + 1));
            }
            node
        })
        .collect()
}

fn tag(n: u32) -> String {
    format!("tag:t{n}")
}

fn router(n: u32) -> String {
    format!("tag:router{}", n % 10)
}

/// Four of five routes are IPv4.
fn route(router: u32, number: u32) -> Prefix {
    let text = if number % 5 == 4 {
        format!("fd00:{router:x}:{number:x}::/64")
    } else {
        format!("10.{router}.{number}.0/24")
    };
    text.parse().expect("a prefix")
}

fn text(size: Size, dice: &mut Dice) -> String {
    let mut out = String::from("{\n");
    let mut section = |name: &str, brackets: [char; 2], lines: Vec<String>| {
        let _ = writeln!(out, "\t\"{name}\": {}", brackets[0]);
        for line in lines {
            let _ = writeln!(out, "\t\t{line},");
        }
        let _ = writeln!(out, "\t{},", brackets[1]);
    };
    let groups = (0..size.groups).map(|g| {
        let count = if g == 0 {
            size.members
        } else {
            dice.skewed(size.members)
        };
        let members: Vec<String> = (0..count)
            .map(|_| format!("\"{}\"", email(dice.below(size.users))))
            .collect();
        format!("\"group:g{g}\": [{}]", members.join(", "))
    });
    section("groups", ['{', '}'], groups.collect());
    let hosts = (0..size.routers).map(|r| format!("\"net{r}\": \"10.{r}.0.0/16\""));
    section("hosts", ['{', '}'], hosts.collect());
    let tags = (0..size.tags).map(tag).chain((0..10).map(router));
    let owners = tags.map(|tag| format!("\"{tag}\": [\"group:g0\"]"));
    section("tagOwners", ['{', '}'], owners.collect());
    let (mut acls, mut grants) = (Vec::new(), Vec::new());
    for number in 0..size.rules {
        let kind = Kind::of(number);
        let source = source(number, size, dice);
        match kind {
            Kind::App | Kind::Via => grants.push(grant(kind, &source, size, dice)),
            Kind::Own => acls.push(acl(
                &source,
                &[format!("autogroup:self:{}", ports(false, dice))],
            )),
            Kind::Plain => acls.push(acl(&source, &targets(false, size, dice))),
            Kind::Ranges => acls.push(acl(&source, &targets(true, size, dice))),
        }
    }
    section("acls", ['[', ']'], acls);
    section("grants", ['[', ']'], grants);
    out.push_str("}\n");
    out
}

/// Of 20 rules, 4 are for own devices, 2 for applications, 1 through routers, 4 with ranges of ports.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Own,
    App,
    Via,
    Ranges,
    Plain,
}

impl Kind {
    fn of(rule: u32) -> Self {
        match rule % 20 {
            0..4 => Self::Own,
            4 | 5 => Self::App,
            6 => Self::Via,
            7..11 => Self::Ranges,
            _ => Self::Plain,
        }
    }
}

fn source(number: u32, size: Size, dice: &mut Dice) -> String {
    let of_people = matches!(Kind::of(number), Kind::Own);
    match dice.below(if of_people { 8 } else { 12 }) {
        0..6 => format!("group:g{}", dice.below(size.groups)),
        6 => email(dice.below(size.users)),
        7 => "autogroup:member".to_owned(),
        8 => format!("net{}", dice.below(size.routers)),
        _ => tag(dice.below(size.tags)),
    }
}

fn destination(size: Size, dice: &mut Dice) -> String {
    match dice.below(10) {
        0..6 => tag(dice.below(size.tags)),
        6 => format!("group:g{}", dice.below(size.groups)),
        7 => format!("net{}", dice.below(size.routers)),
        8 => format!(
            "10.{}.{}.0/24",
            dice.below(size.routers),
            dice.below(size.routes)
        ),
        _ => format!("fd00:{:x}::/32", dice.below(size.routers)),
    }
}

fn ports(ranges: bool, dice: &mut Dice) -> String {
    let first = 1_000 + dice.below(50_000);
    if ranges {
        return format!(
            "{first}-{},{}",
            first + dice.below(1_000),
            60_000 + dice.below(5_000)
        );
    }
    let known = ["*", "22", "443", "80,443", "5432"];
    let at = usize::try_from(dice.below(5)).unwrap_or(0);
    known[at].to_owned()
}

fn targets(ranges: bool, size: Size, dice: &mut Dice) -> Vec<String> {
    (0..=dice.below(3))
        .map(|_| {
            let what = destination(size, dice);
            let ports = ports(ranges, dice);
            if what.contains("::") {
                format!("[{what}]:{ports}")
            } else {
                format!("{what}:{ports}")
            }
        })
        .collect()
}

fn acl(source: &str, targets: &[String]) -> String {
    let targets: Vec<String> = targets.iter().map(|t| format!("\"{t}\"")).collect();
    let targets = targets.join(", ");
    format!("{{\"action\": \"accept\", \"src\": [\"{source}\"], \"dst\": [{targets}]}}")
}

fn grant(kind: Kind, source: &str, size: Size, dice: &mut Dice) -> String {
    if matches!(kind, Kind::App) {
        let app = format!(
            "\"example.com/cap/app{}\": [{{\"role\": \"viewer\"}}]",
            dice.below(20)
        );
        let tag = tag(dice.below(size.tags));
        return format!("{{\"src\": [\"{source}\"], \"dst\": [\"{tag}\"], \"app\": {{{app}}}}}");
    }
    let via = dice.below(size.routers);
    let router = router(via);
    format!(
        "{{\"src\": [\"{source}\"], \"dst\": [\"10.{via}.0.0/16\"], \"ip\": [\"*\"], \"via\": [\"{router}\"]}}"
    )
}
