//! What machines say of themselves, cut to what is worth keeping.

use std::net::SocketAddr;

use wire::control::Hostinfo;

/// The longest text.
const TEXT: usize = 256;
/// Most items of a list.
const ITEMS: usize = 64;
/// Most advertised routes.
const ROUTES: usize = 1024;
/// Most endpoints of a node.
const ENDPOINTS: usize = 64;

/// Cuts texts and lists: hostile machines must not fill the database, nor the
/// netmaps of their peers.
pub(super) fn bounded(mut info: Hostinfo) -> Hostinfo {
    for text in [
        &mut info.client_version,
        &mut info.os,
        &mut info.os_version,
        &mut info.distro,
        &mut info.hostname,
        &mut info.go_arch,
    ] {
        cut(text);
    }
    info.routable_ips.truncate(ROUTES);
    info.request_tags.truncate(ITEMS);
    info.request_tags.iter_mut().for_each(cut);
    info.services.truncate(ITEMS);
    for service in &mut info.services {
        cut(&mut service.proto);
        cut(&mut service.description);
    }
    info.ssh_host_keys.truncate(ITEMS);
    info.ssh_host_keys.retain(|key| key.len() <= 4096);
    if let Some(net) = &mut info.net_info {
        while net.relay_latency.len() > ITEMS {
            net.relay_latency.pop_last();
        }
        net.relay_latency.retain(|region, _| region.len() <= TEXT);
    }
    info
}

/// The first endpoints: clients list their best guesses first.
pub(super) fn bounded_endpoints(mut endpoints: Vec<SocketAddr>) -> Vec<SocketAddr> {
    endpoints.truncate(ENDPOINTS);
    endpoints
}

fn cut(text: &mut String) {
    if let Some((at, _)) = text.char_indices().find(|(at, c)| at + c.len_utf8() > TEXT) {
        text.truncate(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_machine_says_is_cut_to_size() {
        let said = Hostinfo {
            hostname: "ü".repeat(100_000),
            request_tags: vec!["x".repeat(300); 10_000],
            ssh_host_keys: vec!["y".repeat(100_000); 3],
            ..Hostinfo::default()
        };
        let kept = bounded(said);
        assert_eq!(kept.hostname, "ü".repeat(128));
        assert_eq!(kept.request_tags, vec!["x".repeat(256); 64]);
        assert!(kept.ssh_host_keys.is_empty());
        let usual = Hostinfo {
            hostname: "web".into(),
            ..Hostinfo::default()
        };
        assert_eq!(bounded(usual.clone()), usual);
    }
}
