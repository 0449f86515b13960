//! The control client against a server on loopback.

use std::{net::SocketAddr, sync::Arc};

use serde_json::json;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{Notify, mpsc, watch},
};
use tokio_util::task::AbortOnDropHandle;
use wire::{
    MachineSecret, NodeKey, NodeSecret,
    control::{MapResponse, RegisterResponse},
    relay_map::RegionId,
};

use self::coordinator::{Asked, Coordinator};
use super::{
    Party, Presence, Server, connect,
    login::{self, Login, LoginError, Progress, Proof},
    session::{self, Event},
};
use crate::{
    state::profile::random,
    testing::{Identity, soon},
    tls::{self, Tls, Trust},
};

mod coordinator;

fn party(server: &Coordinator, scheme: &str) -> Party {
    party_at(server.addr, scheme)
}

fn party_at(addr: SocketAddr, scheme: &str) -> Party {
    Party {
        server: Server {
            url: format!("{scheme}://{addr}").parse().unwrap(),
            trust: Trust::Public,
            key: None,
        },
        tls: Tls::new(None),
        machine: MachineSecret::from_bytes(random()),
        node: NodeSecret::from_bytes(random()),
    }
}

fn login(party: Party, proof: Proof) -> Login {
    Login {
        party,
        old_key: NodeKey::ZERO,
        proof,
        host: Presence::default().hostinfo(),
    }
}

fn welcome() -> RegisterResponse {
    RegisterResponse {
        machine_authorized: true,
        ..RegisterResponse::default()
    }
}

fn first(domain: &str) -> MapResponse {
    let message = json!({
        "Node": {
            "ID": 1, "StableID": "s1", "Name": "me.", "User": 1,
            "Key": format!("nodekey:{:064x}", 1), "MachineAuthorized": true,
        },
        "Domain": domain,
    });
    serde_json::from_value(message).unwrap()
}

struct Running {
    events: mpsc::Receiver<Event>,
    presence: watch::Sender<Presence>,
    handle: session::Handle,
    _task: AbortOnDropHandle<()>,
}

fn session(party: Party) -> Running {
    let presence = watch::Sender::new(Presence::default());
    let (events_out, events) = mpsc::channel(16);
    let (session, handle) = session::Session::new(party, presence.subscribe(), events_out);
    Running {
        events,
        presence,
        handle,
        _task: AbortOnDropHandle::new(tokio::spawn(session.run(None))),
    }
}

impl Running {
    async fn next(&mut self) -> Event {
        soon("the session tells", self.events.recv()).await.unwrap()
    }
}

#[tokio::test]
async fn an_auth_key_joins() {
    let mut server = Coordinator::start().await;
    let party = party(&server, "http");
    let (machine, node) = (party.machine.public(), party.node.public());
    let (progress, _) = mpsc::channel(4);
    let key = Proof::AuthKey("key".to_owned());
    let login =
        tokio::spawn(async move { login::run(login(party, key), &progress, &Notify::new()).await });
    let (by, Asked::Register(request, answer)) = server.next().await else {
        panic!("the node does not register")
    };
    assert_eq!((by, request.node_key), (machine, node));
    assert_eq!(request.auth.unwrap().auth_key, "key");
    answer.send(welcome()).unwrap();
    let logged_in = soon("the login", login).await.unwrap().unwrap();
    assert_eq!(logged_in.server_key, server.key);
    assert!(logged_in.authorized);
}

#[tokio::test]
async fn a_person_is_shown_a_link_and_waited_for() {
    let mut server = Coordinator::start().await;
    let party = party(&server, "http");
    let (progress, mut told) = mpsc::channel(4);
    let login = tokio::spawn(async move {
        login::run(login(party, Proof::Person), &progress, &Notify::new()).await
    });
    let link = "https://warren.example.com/register/abc";
    let (request, answer) = server.registration().await;
    assert!(request.auth.is_none() && request.followup.is_empty());
    let ask = RegisterResponse {
        auth_url: link.to_owned(),
        ..RegisterResponse::default()
    };
    answer.send(ask).unwrap();
    let shown = soon("the link", told.recv()).await.unwrap();
    assert_eq!(shown, Progress::SignIn(link.to_owned()));
    let (request, answer) = server.registration().await;
    assert_eq!(request.followup, link);
    answer.send(welcome()).unwrap();
    soon("the login", login).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words_and_trouble_is_tried_again() {
    let mut server = Coordinator::start().await;
    let party = party(&server, "http");
    let (progress, mut told) = mpsc::channel(4);
    let key = Proof::AuthKey("key".to_owned());
    let login =
        tokio::spawn(async move { login::run(login(party, key), &progress, &Notify::new()).await });
    drop(server.registration().await);
    let trouble = soon("trouble", told.recv()).await.unwrap();
    assert!(matches!(trouble, Progress::Trouble(_)));
    let (_, answer) = server.registration().await;
    let no = RegisterResponse {
        error: "this auth key has been used".to_owned(),
        ..RegisterResponse::default()
    };
    answer.send(no).unwrap();
    let error = soon("the login", login).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("this auth key has been used"));
}

#[tokio::test]
async fn another_server_key_than_before_is_refused() {
    let server = Coordinator::start().await;
    let mut party = party(&server, "http");
    party.server.key = Some(MachineSecret::from_bytes(random()).public());
    let outcome = connect::connect(&party.tls, &party.server, &party.machine).await;
    let error = outcome.unwrap_err();
    assert!(!error.may_pass());
    assert!(error.to_string().contains("another key"), "{error}");
}

#[tokio::test]
async fn a_session_hears_the_map_and_reports_presence() {
    let mut server = Coordinator::start().await;
    let mut running = session(party(&server, "http"));
    let (request, messages) = server.stream().await;
    assert!(request.keep_alive && !request.omit_peers);
    messages.send(MapResponse::keepalive()).await.unwrap();
    messages.send(first("acme")).await.unwrap();
    assert!(
        matches!(running.next().await, Event::Connected { server_key } if server_key == server.key)
    );
    assert!(matches!(running.next().await, Event::First(m) if m.domain.as_deref() == Some("acme")));
    let delta = MapResponse {
        domain: Some("other".to_owned()),
        ..MapResponse::default()
    };
    messages.send(delta).await.unwrap();
    assert!(
        matches!(running.next().await, Event::Delta(m) if m.domain.as_deref() == Some("other"))
    );

    assert!(
        server.report().await.omit_peers,
        "the first report comes at once"
    );
    running
        .presence
        .send_modify(|p| p.home_relay = RegionId(900));
    let net = server.report().await.hostinfo.unwrap().net_info.unwrap();
    assert_eq!(net.preferred_relay, RegionId(900));
    running.handle.nudge();
    server.report().await;
}

#[tokio::test]
async fn a_stream_that_ends_is_opened_again() {
    let mut server = Coordinator::start().await;
    let mut running = session(party(&server, "http"));
    let (_, messages) = server.stream().await;
    messages.send(first("acme")).await.unwrap();
    assert!(matches!(running.next().await, Event::Connected { .. }));
    assert!(matches!(running.next().await, Event::First(_)));
    drop(messages);
    assert!(matches!(running.next().await, Event::Trouble(_)));
    let (_, messages) = server.stream().await;
    messages.send(first("again")).await.unwrap();
    assert!(matches!(running.next().await, Event::Connected { .. }));
    assert!(
        matches!(running.next().await, Event::First(m) if m.domain.as_deref() == Some("again"))
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_trouble_and_no_end() {
    let server = Coordinator::start().await;
    let party = party(&server, "http");
    drop(server);
    let mut running = session(party);
    let Event::Trouble(why) = running.next().await else {
        panic!("there should be trouble")
    };
    assert!(why.contains("not reachable"), "{why}");
    running.handle.nudge();
    assert!(matches!(running.next().await, Event::Trouble(_)));
}

#[tokio::test]
async fn a_node_that_the_server_does_not_know_is_told_to_sign_in() {
    let mut server = Coordinator::start().await;
    let mut running = session(party(&server, "http"));
    let (_, Asked::Stream(_, answer)) = server.next().await else {
        panic!("the node does not stream")
    };
    answer.send(None).unwrap();
    let (request, answer) = server.registration().await;
    assert!(request.auth.is_none());
    let sign_in = RegisterResponse {
        auth_url: "https://warren.example.com/register/abc".to_owned(),
        ..RegisterResponse::default()
    };
    answer.send(sign_in).unwrap();
    assert!(matches!(
        running.next().await,
        Event::Over(LoginError::NeedsPerson)
    ));
    assert!(running.events.recv().await.is_none());
}

#[tokio::test]
async fn a_logout_is_an_expiry_in_the_past() {
    let mut server = Coordinator::start().await;
    let party = party(&server, "http");
    let logout =
        tokio::spawn(async move { login::logout(&party, Presence::default().hostinfo()).await });
    let (request, answer) = server.registration().await;
    assert!(request.expiry.unwrap().unix_seconds() < 1000);
    answer.send(RegisterResponse::default()).unwrap();
    soon("the logout", logout).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_servers_own_ca_is_found_and_trusted_by_its_digest() {
    let identity = Identity::new();
    let server = Coordinator::with_tls(&identity).await;
    let mut party = party(&server, "https");

    let unknown = connect::connect(&party.tls, &party.server, &party.machine).await;
    let error = unknown.unwrap_err();
    assert!(!error.may_pass());
    assert!(error.to_string().contains("--server-ca-sha256"), "{error}");

    let digest = tls::digest(&identity.ca);
    let trust = connect::find_ca(&party.tls, &party.server.url, &digest)
        .await
        .unwrap();
    assert_eq!(trust, Trust::Ca(identity.ca.clone()));
    party.server.trust = trust;
    let (_connection, key) = connect::connect(&party.tls, &party.server, &party.machine)
        .await
        .unwrap();
    assert_eq!(key, server.key);

    let wrong = connect::find_ca(&party.tls, &party.server.url, &[7; 32]).await;
    assert!(wrong.unwrap_err().to_string().contains("no CA certificate"));

    let leaf = tls::digest(&identity.leaf);
    let trust = connect::find_ca(&party.tls, &party.server.url, &leaf)
        .await
        .unwrap();
    assert_eq!(trust, Trust::Certificate(leaf));
    party.server.trust = trust;
    connect::connect(&party.tls, &party.server, &party.machine)
        .await
        .unwrap();
}

#[tokio::test]
async fn the_certificate_of_another_server_is_refused() {
    let (ours, theirs) = (Identity::new(), Identity::new());
    let server = Coordinator::with_tls(&theirs).await;
    let mut party = party(&server, "https");
    for trust in [
        Trust::Ca(ours.ca.clone()),
        Trust::Certificate(tls::digest(&ours.leaf)),
    ] {
        party.server.trust = trust;
        let outcome = connect::connect(&party.tls, &party.server, &party.machine).await;
        assert!(!outcome.unwrap_err().may_pass());
    }
}

#[tokio::test]
async fn a_clock_that_is_wrong_by_years_is_asked_about() {
    for (from, until) in [(3000, 4000), (2000, 2001)] {
        let identity = Identity::valid(from, until);
        let server = Coordinator::with_tls(&identity).await;
        let mut party = party(&server, "https");
        party.server.trust = Trust::Ca(identity.ca.clone());
        let outcome = connect::connect(&party.tls, &party.server, &party.machine).await;
        let said = outcome.unwrap_err().to_string();
        assert!(said.contains("this machine's clock"), "{said}");
    }
}

/// A server that takes connections and says nothing.
struct Mute {
    listener: TcpListener,
    taken: Vec<TcpStream>,
}

impl Mute {
    async fn start() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            taken: Vec::new(),
        }
    }

    fn party(&self) -> Party {
        let addr = self.listener.local_addr().unwrap();
        party_at(addr, "http")
    }

    async fn take(&mut self) {
        let (stream, _) = soon("a node connects", self.listener.accept())
            .await
            .unwrap();
        self.taken.push(stream);
    }
}

#[tokio::test]
async fn after_a_change_of_the_network_a_session_does_not_wait_for_a_dead_attempt() {
    let mut server = Mute::start().await;
    let running = session(server.party());
    server.take().await;
    running.handle.nudge();
    server.take().await;
}

#[tokio::test]
async fn after_a_change_of_the_network_a_session_asks_again_for_a_stream_that_does_not_open() {
    let mut server = Coordinator::start().await;
    let running = session(party(&server, "http"));
    let (_, Asked::Stream(_, _unanswered)) = server.next().await else {
        panic!("the node does not stream")
    };
    running.handle.nudge();
    server.stream().await;
}

#[tokio::test]
async fn after_a_change_of_the_network_a_login_asks_anew_by_the_same_link() {
    let mut server = Coordinator::start().await;
    let login = login(party(&server, "http"), Proof::Person);
    let (progress, _told) = mpsc::channel(4);
    let nudge = Arc::new(Notify::new());
    let heeded = Arc::clone(&nudge);
    let login = tokio::spawn(async move { login::run(login, &progress, &heeded).await });
    let (_, answer) = server.registration().await;
    let link = "https://warren.example.com/register/abc";
    let ask = RegisterResponse {
        auth_url: link.to_owned(),
        ..RegisterResponse::default()
    };
    answer.send(ask).unwrap();
    let (_, _unanswered) = server.registration().await;
    nudge.notify_one();
    let (request, answer) = server.registration().await;
    assert_eq!(request.followup, link);
    answer.send(welcome()).unwrap();
    soon("the login", login).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_node_whose_stream_is_refused_asks_until_the_server_answers() {
    let mut server = Coordinator::start().await;
    let mut running = session(party(&server, "http"));
    let (_, Asked::Stream(_, answer)) = server.next().await else {
        panic!("the node does not stream")
    };
    answer.send(None).unwrap();
    for _ in 0..3 {
        drop(server.registration().await);
        assert!(matches!(running.next().await, Event::Trouble(_)));
        running.handle.nudge();
    }
    let (_, answer) = server.registration().await;
    answer.send(welcome()).unwrap();
    let (_, messages) = server.stream().await;
    messages.send(first("acme")).await.unwrap();
    assert!(matches!(running.next().await, Event::Trouble(_)));
    assert!(matches!(running.next().await, Event::Connected { .. }));
}
