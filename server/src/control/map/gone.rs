//! What a stream tells a client whose node is gone, or never was this
//! machine's: that its key has ended. Official clients then leave the mesh and
//! wait for their person to sign in; on an error they would stay as they were
//! and ask again and again.
//!
//! The answer is made of what the client itself said and nothing else, so it
//! tells nobody which keys exist.

use std::collections::BTreeMap;

use wire::{
    NodeId, Timestamp, UserId,
    control::{Hostinfo, MapRequest, MapResponse, Node, UserProfile, map::Debug},
    relay_map::RegionId,
};

use super::super::Session;

/// The largest id there is: never given to a node or user.
const NOBODY: u64 = 1 << 53;

pub(super) fn answer(session: &Session, request: &MapRequest) -> MapResponse {
    MapResponse {
        node: Some(node(session, request)),
        packet_filters: Some(BTreeMap::from([("base".to_owned(), Some(Vec::new()))])),
        user_profiles: Some(vec![UserProfile {
            id: UserId(NOBODY),
            login_name: "signed-out".to_owned(),
            display_name: "Signed out".to_owned(),
        }]),
        debug: Some(Debug {
            disable_log_tail: true,
        }),
        ..MapResponse::default()
    }
}

fn node(session: &Session, request: &MapRequest) -> Node {
    let key = request.node_key.to_string();
    Node {
        id: NodeId(NOBODY),
        // Clients tell profiles apart by it.
        stable_id: key.chars().rev().take(32).collect(),
        name: "signed-out.".to_owned(),
        user: UserId(NOBODY),
        key: request.node_key,
        key_expiry: Some(Timestamp::from_unix_seconds(1)),
        machine: session.machine,
        disco_key: wire::DiscoKey::ZERO,
        addresses: Vec::new(),
        allowed_ips: Some(Vec::new()),
        endpoints: Vec::new(),
        home_relay: RegionId(0),
        hostinfo: Hostinfo::default(),
        created: None,
        cap: request.version,
        tags: Vec::new(),
        primary_routes: Vec::new(),
        last_seen: None,
        online: None,
        machine_authorized: true,
        cap_map: BTreeMap::new(),
        expired: true,
    }
}
