//! `warren netcheck`.

use std::path::Path;

use super::{Failure, ask, table, unexpected};
use crate::local_api::{Reply, Request, protocol::Netcheck};

pub(super) fn run(socket: &Path, json: bool) -> Result<(), Failure> {
    match ask(socket, &Request::Netcheck)? {
        Reply::Netcheck(check) if json => println!("{}", serde_json::to_string_pretty(&check)?),
        Reply::Netcheck(check) => print!("{}", text(&check)),
        other => return Err(unexpected(&other)),
    }
    Ok(())
}

fn text(check: &Netcheck) -> String {
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    let seen = |addr: Option<std::net::SocketAddr>| {
        addr.map(|a| format!(", seen as {a}")).unwrap_or_default()
    };
    let nat = match check.nat.as_str() {
        "open" => "none: this machine is reachable directly",
        "easy" => "easy: others can learn this machine's outside address",
        "hard" => "hard: the outside port depends on the destination",
        "blocked" => "UDP is blocked: traffic goes through a relay over HTTPS",
        _ => "unknown",
    };
    let home = check.home_relay.as_ref();
    let mut out = format!(
        "UDP:    {}{}\nIPv6:   {}{}\nNAT:    {nat}\nrelay:  {}\n",
        yes(check.udp),
        seen(check.mapped_v4),
        yes(check.ipv6),
        seen(check.mapped_v6),
        home.map_or("none", |r| &r.code),
    );
    let ms = |ms: Option<f64>| ms.map_or_else(|| "-".to_owned(), |ms| format!("{ms:.1} ms"));
    let rows = check.relays.iter();
    let rows: Vec<_> = rows
        .map(|r| vec![r.relay.code.clone(), ms(r.udp_ms), ms(r.https_ms)])
        .collect();
    out.push('\n');
    out.push_str(&table::render(&["RELAY", "UDP", "HTTPS"], &rows));
    out
}

#[cfg(test)]
mod tests {
    use wire::relay_map::RegionId;

    use super::*;
    use crate::local_api::protocol::{Relay, RelayLatency};

    #[test]
    fn a_blocked_network_is_explained() {
        let relay = Relay {
            region: RegionId(900),
            code: "warren".to_owned(),
        };
        let check = Netcheck {
            udp: false,
            ipv6: false,
            nat: "blocked".to_owned(),
            mapping_varies: None,
            mapped_v4: None,
            mapped_v6: None,
            home_relay: Some(relay.clone()),
            relays: vec![RelayLatency {
                relay,
                udp_ms: None,
                https_ms: Some(12.34),
            }],
        };
        let shown = text(&check);
        assert!(shown.contains("over HTTPS"), "{shown}");
        assert!(shown.contains("12.3 ms"), "{shown}");
    }
}
