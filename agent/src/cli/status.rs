//! `warren status`.

use std::{fmt::Write as _, path::Path};

use super::{Failure, table, unexpected};
use crate::local_api::{
    Reply, Request,
    protocol::{Peer, State, Status},
};

pub(super) fn run(socket: &Path, json: bool) -> Result<(), Failure> {
    let status = ask(socket)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&status)?);
    } else {
        print!("{}", text(&status));
    }
    Ok(())
}

/// What the daemon says.
pub(super) fn ask(socket: &Path) -> Result<Status, Failure> {
    match super::ask(socket, &Request::Status)? {
        Reply::Status(status) => Ok(*status),
        other => Err(unexpected(&other)),
    }
}

fn text(status: &Status) -> String {
    let mut out = String::new();
    if let Some(note) = note(status) {
        out.push_str(&note);
        out.push('\n');
    }
    for problem in &status.problems {
        let _ = writeln!(out, "problem: {problem}");
    }
    let Some(node) = &status.node else {
        return out;
    };
    if !out.is_empty() {
        out.push('\n');
    }
    let own = vec![
        node.addresses
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        short(&node.name),
        node.owner.clone().unwrap_or_else(|| node.tags.join(",")),
        std::env::consts::OS.to_owned(),
        "this machine".to_owned(),
    ];
    let rows: Vec<_> = std::iter::once(own)
        .chain(status.peers.iter().map(row))
        .collect();
    out.push_str(&table::render(
        &["ADDRESS", "NAME", "OWNER", "OS", "STATE"],
        &rows,
    ));
    out
}

fn note(status: &Status) -> Option<String> {
    let server = status.server.as_deref().unwrap_or("the server");
    match status.state {
        State::Running if status.connected => None,
        State::Running => Some(format!(
            "{server} is away: this is what was known last; the mesh goes on working"
        )),
        State::Stopped => Some("stopped: `warren up` comes back".to_owned()),
        State::NeedsLogin => Some(match &status.sign_in {
            Some(link) => format!("waiting for a person to open {link}"),
            None => "not a member: run `warren up`".to_owned(),
        }),
        State::NeedsApproval => {
            Some("an administrator must approve this machine in the console".to_owned())
        }
        State::Starting => Some(format!("waiting for {server}")),
        State::Expired => {
            Some("the key has expired, nothing passes: run `warren up` to sign in again".to_owned())
        }
    }
}

fn row(peer: &Peer) -> Vec<String> {
    vec![
        peer.addresses
            .first()
            .map(ToString::to_string)
            .unwrap_or_default(),
        short(&peer.name),
        peer.owner.clone().unwrap_or_else(|| peer.tags.join(",")),
        peer.os.clone(),
        state(peer),
    ]
}

fn state(peer: &Peer) -> String {
    if peer.expired {
        return "key expired".to_owned();
    }
    let way = match (&peer.direct, &peer.relay) {
        (Some(direct), _) => Some(format!("direct {direct}")),
        (None, Some(relay)) => Some(format!("relay {}", relay.code)),
        (None, None) => None,
    };
    if let Some(way) = way.filter(|_| peer.active) {
        let bytes = format!("rx {} tx {}", amount(peer.rx_bytes), amount(peer.tx_bytes));
        return format!("active, {way}, {bytes}");
    }
    match (peer.online, peer.last_seen) {
        (Some(true), _) => "idle".to_owned(),
        (Some(false), Some(at)) => format!("offline, last seen {at}"),
        (Some(false), None) => "offline".to_owned(),
        (None, _) => "-".to_owned(),
    }
}

fn short(name: &str) -> String {
    name.split('.').next().unwrap_or_default().to_owned()
}

/// Bytes for people.
fn amount(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["KiB", "MiB", "GiB", "TiB"];
    if bytes < 1024 {
        return format!("{bytes} B");
    }
    let (mut whole, mut rest, mut unit) = (bytes, 0, 0);
    for (nth, _) in UNITS.iter().enumerate() {
        if whole < 1024 {
            break;
        }
        rest = whole % 1024;
        whole /= 1024;
        unit = nth;
    }
    format!("{whole}.{} {}", rest * 10 / 1024, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn status(state: &str) -> Status {
        serde_json::from_value(json!({
            "version": "1", "state": state, "server": "https://warren.example.com",
            "connected": true, "problems": [], "endpoints": [],
            "node": {
                "id": 1, "name": "me.acme.warren.internal", "addresses": ["100.64.0.1"],
                "key": "", "owner": "ada@example.com", "tags": [],
            },
            "peers": [{
                "id": 2, "name": "atlas.acme.warren.internal", "addresses": ["100.64.0.2"],
                "key": "", "tags": ["tag:web"], "os": "linux", "online": true, "expired": false,
                "active": true, "direct": "192.0.2.1:41642", "rx_bytes": 2048, "tx_bytes": 10,
            }],
        }))
        .unwrap()
    }

    #[test]
    fn peers_are_listed_with_the_way_they_are_reached() {
        let shown = text(&status("running"));
        let lines: Vec<_> = shown.lines().collect();
        assert_eq!(lines.len(), 3, "{shown}");
        assert!(lines[1].contains("this machine"));
        assert!(
            lines[2].contains("active, direct 192.0.2.1:41642, rx 2.0 KiB tx 10 B"),
            "{shown}"
        );
        assert!(lines[2].contains("tag:web"));
    }

    #[test]
    fn every_state_but_a_good_one_says_what_to_do() {
        for (state, word) in [
            ("stopped", "warren up"),
            ("needs_login", "warren up"),
            ("needs_approval", "administrator"),
            ("starting", "waiting"),
            ("expired", "warren up"),
        ] {
            assert!(text(&status(state)).contains(word), "{state}");
        }
    }

    #[test]
    fn amounts_are_short() {
        for (bytes, shown) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (5 << 20, "5.0 MiB"),
            (3 << 30, "3.0 GiB"),
        ] {
            assert_eq!(amount(bytes), shown);
        }
    }
}
