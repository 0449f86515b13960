//! Every socket the server opens: bound first, all of them, then served.

mod metrics;

use std::{net::SocketAddr, sync::Arc};

use anyhow::{Context as _, Result};
use tokio::{
    net::{TcpListener, UdpSocket},
    task::JoinHandle,
};

use crate::{
    app::App,
    http::{
        accept::{Door, Patience},
        gate::{Caps, Gate},
        router,
    },
    relay::{map::Place, stun},
    tls::{self, Resolver, setup},
};

/// The sockets, bound.
#[derive(Debug)]
pub struct Listeners {
    main: TcpListener,
    relay: Option<TcpListener>,
    stun: Vec<UdpSocket>,
    metrics: Option<TcpListener>,
    /// Where the relay is; `None`: it is switched off.
    place: Option<Place>,
}

impl Listeners {
    /// Binds everything that the configuration names, and tells nodes where the relay is.
    pub async fn bind(app: &App) -> Result<Self> {
        let config = &app.config;
        let main = tcp(config.http.listen, "http.listen").await?;
        let relay = match config.relay_listen() {
            Some(address) => Some(tcp(address, "relay.listen").await?),
            None => None,
        };
        let mut stun = Vec::new();
        if config.relay.enabled {
            let ip = config.stun_ip();
            for port in config.relay.stun_ports {
                stun.push(udp(SocketAddr::new(ip, port)).await?);
            }
        }
        let metrics = match config.metrics.listen {
            Some(address) => Some(tcp(address, "metrics.listen").await?),
            None => None,
        };
        let mut bound = Self {
            main,
            relay,
            stun,
            metrics,
            place: None,
        };
        if config.relay.enabled {
            let place = bound.place(app)?;
            app.relay_map.send_replace(Arc::new(place.map()));
            bound.place = Some(place);
        }
        Ok(bound)
    }

    /// Where console and control answer.
    pub fn main_address(&self) -> Result<SocketAddr> {
        Ok(self.main.local_addr()?)
    }

    fn place(&self, app: &App) -> Result<Place> {
        let config = &app.config;
        let relay = self.relay.as_ref().unwrap_or(&self.main);
        let port = match (&self.relay, config.public_port()) {
            (None, Some(port)) => port,
            _ => relay.local_addr()?.port(),
        };
        let mut stun = [None; 2];
        for (slot, socket) in stun.iter_mut().zip(&self.stun) {
            *slot = Some(socket.local_addr()?.port());
        }
        Ok(Place {
            host: config.relay_host(),
            port,
            stun,
            certificate: app.certificates.relay_digest(),
        })
    }

    /// Serves all of them until `app.stop`; the tasks of those that answer requests.
    pub fn open(self, app: &Arc<App>) -> Result<Vec<JoinHandle<()>>> {
        let gate = Gate::new(Caps {
            total: app.config.http.max_connections,
            per_network: app.config.http.max_connections_per_network,
            trusted: app.config.http.trusted_proxies.clone(),
        });
        let door = |listener, tls, router| Door {
            listener,
            tls,
            router,
            gate: gate.clone(),
            patience: Patience::default(),
        };
        let mut doors = vec![door(
            self.main,
            tls(app.certificates.main.as_ref())?,
            router::main(app),
        )];
        if let Some(listener) = self.relay {
            let certificate = tls(app.certificates.relay.as_ref())?;
            doors.push(door(listener, certificate, router::relay_alone(app)));
        }
        if let Some(listener) = self.metrics {
            doors.push(door(listener, None, metrics::router(app, gate.clone())));
        }
        for socket in self.stun {
            let app = Arc::clone(app);
            app.tasks.clone().spawn(async move {
                tokio::select! {
                    ended = stun::serve(&socket, &app.stun) => {
                        if let Err(error) = ended {
                            tracing::error!(%error, "a STUN socket broke");
                        }
                    }
                    () = app.stop.cancelled() => {}
                }
            });
        }
        setup::follow(app, self.place);
        Ok(doors
            .into_iter()
            .map(|door| app.tasks.spawn(door.serve(app.stop.clone())))
            .collect())
    }
}

fn tls(resolver: Option<&Arc<Resolver>>) -> Result<Option<Arc<rustls::ServerConfig>>> {
    resolver.cloned().map(tls::server_config).transpose()
}

async fn tcp(address: SocketAddr, key: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| refusal("TCP", address, key))
}

async fn udp(address: SocketAddr) -> Result<UdpSocket> {
    UdpSocket::bind(address)
        .await
        .with_context(|| refusal("UDP", address, "relay.stun_ports"))
}

fn refusal(kind: &str, address: SocketAddr, key: &str) -> String {
    let hint = if address.port() < 1024 && !crate::lifecycle::is_root() {
        "; ports below 1024 are for root: give the program CAP_NET_BIND_SERVICE, or use another port"
    } else {
        ""
    };
    format!("cannot listen on {kind} {address} ({key}){hint}")
}
