//! The arrows of ARCHITECTURE.md, held against `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Package → which of our packages it may name as a dependency.
const ARROWS: &[(&str, &[&str])] = &[
    ("wire", &[]),
    ("policy", &["wire"]),
    ("netmap", &["wire", "policy"]),
    ("link", &["wire"]),
    ("mesh", &["wire"]),
    ("simnet", &[]),
    ("migrations", &[]),
    (
        "server",
        &["wire", "policy", "netmap", "link", "migrations"],
    ),
    ("agent", &["wire", "link", "mesh"]),
    ("web", &["wire", "policy"]),
    ("xtask", &[]),
];

/// Crates that hold sockets, clocks, databases or generators.
const SHELL: &[&str] = &[
    "tokio",
    "mio",
    "async-std",
    "hyper",
    "sea-orm",
    "sqlx",
    "socket2",
    "nix",
];
/// Ciphers beyond key derivation; random generators.
const CIPHERS: &[&str] = &[
    "ring",
    "chacha20poly1305",
    "crypto_box",
    "boringtun",
    "rand",
];

/// Package → crates that it must never reach, through anything.
fn never(package: &str) -> Vec<&'static str> {
    match package {
        "wire" | "policy" | "netmap" => [SHELL, CIPHERS].concat(),
        "link" => [SHELL, &["boringtun", "rand"]].concat(),
        // boringtun brings parking_lot, rand_core and its own ciphers, but no sockets in this form.
        "mesh" => ["tokio", "mio", "hyper", "sea-orm", "sqlx"].to_vec(),
        "agent" => vec!["sea-orm", "sqlx", "axum", "policy", "server"],
        "web" => vec!["tokio", "mio", "sea-orm", "server", "ring"],
        "server" => vec!["agent", "web", "mesh", "boringtun", "openssl"],
        _ => vec![],
    }
}

const LINUX: &str = "x86_64-unknown-linux-gnu";

struct Graph {
    names: BTreeMap<String, String>,
    /// Package id → ids of its normal dependencies.
    arrows: BTreeMap<String, BTreeSet<String>>,
    members: Vec<String>,
}

/// The graph as it is built for `platform`.
fn graph(platform: &str) -> Graph {
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--locked",
            "--filter-platform",
            platform,
        ])
        .args([
            "--manifest-path",
            concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml"),
        ])
        .output()
        .expect("cargo runs");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let meta: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let text = |v: &Value| v.as_str().expect("a text").to_owned();
    let list = |v: &Value| v.as_array().expect("a list").clone();
    let normal = |dep: &Value| {
        list(&dep["dep_kinds"])
            .iter()
            .any(|kind| kind["kind"].is_null())
    };
    Graph {
        names: list(&meta["packages"])
            .iter()
            .map(|p| (text(&p["id"]), text(&p["name"])))
            .collect(),
        arrows: list(&meta["resolve"]["nodes"])
            .iter()
            .map(|node| {
                let deps = list(&node["deps"]);
                let deps = deps
                    .iter()
                    .filter(|d| normal(d))
                    .map(|d| text(&d["pkg"]))
                    .collect();
                (text(&node["id"]), deps)
            })
            .collect(),
        members: list(&meta["workspace_members"]).iter().map(text).collect(),
    }
}

impl Graph {
    fn reach(&self, from: &str) -> BTreeSet<&str> {
        let (mut seen, mut todo) = (BTreeSet::new(), vec![from]);
        while let Some(id) = todo.pop() {
            for next in &self.arrows[id] {
                if seen.insert(next.as_str()) {
                    todo.push(next);
                }
            }
        }
        seen.into_iter().map(|id| self.names[id].as_str()).collect()
    }
}

#[test]
fn our_packages_depend_only_along_the_arrows() {
    let graph = graph(LINUX);
    let ours: BTreeSet<&str> = graph
        .members
        .iter()
        .map(|id| graph.names[id].as_str())
        .collect();
    for id in &graph.members {
        let name = graph.names[id].as_str();
        if name == "e2e" {
            continue;
        }
        let (_, allowed) = ARROWS
            .iter()
            .find(|(package, _)| *package == name)
            .unwrap_or_else(|| {
                panic!("`{name}` has no row in ARROWS: decide what it may depend on")
            });
        for dep in &graph.arrows[id] {
            let dep = graph.names[dep].as_str();
            assert!(
                !ours.contains(dep) || allowed.contains(&dep),
                "`{name}` may not depend on `{dep}`; see the arrows in ARCHITECTURE.md"
            );
        }
    }
}

#[test]
fn cores_reach_no_sockets_clocks_or_databases() {
    let (linux, browser) = (graph(LINUX), graph("wasm32-unknown-unknown"));
    for id in &linux.members {
        let name = linux.names[id].as_str();
        let graph = if name == "web" { &browser } else { &linux };
        let reached = graph.reach(id);
        for forbidden in never(name) {
            assert!(
                !reached.contains(forbidden),
                "`{name}` reaches `{forbidden}`"
            );
        }
    }
}

#[test]
fn only_the_database_layer_names_the_database_crate() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../server/src");
    let mut todo = vec![std::path::PathBuf::from(root)];
    while let Some(dir) = todo.pop() {
        for entry in std::fs::read_dir(&dir).expect("a folder") {
            let path = entry.expect("an entry").path();
            let relative = path
                .strip_prefix(root)
                .expect("below server/src")
                .to_owned();
            if path.is_dir() {
                todo.push(path);
            } else if path.extension().is_some_and(|e| e == "rs")
                && !relative.starts_with("db")
                && relative != std::path::Path::new("db.rs")
            {
                let text = std::fs::read_to_string(&path).expect("a file");
                assert!(
                    !text.contains("sea_orm"),
                    "{} names sea_orm",
                    relative.display()
                );
            }
        }
    }
}
