//! Who is where: the public segment, the routers and the hosts behind them.

use std::{net::Ipv4Addr, process::Command};

use anyhow::Result;

use super::{Nat, command_in, sh, sh_in};

/// The server's address on the public segment.
const SERVER: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 10);

/// The address of the test program itself: an administrator's machine on the public segment.
const ADMIN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 1);

/// The lab's network; dropped with the program's namespaces.
#[derive(Debug, Default)]
pub struct Topology {
    routers: u8,
}

/// A host in a namespace of its own.
#[derive(Debug, Clone)]
pub struct Host {
    /// Its namespace.
    pub ns: String,
    /// Its router's namespace; its own for a public host.
    pub router: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its router's address on the public segment; its own for a public host.
    pub wan: Ipv4Addr,
}

impl Topology {
    /// The public segment (IPv4 only: addresses that settle late would break a browser's
    /// connections there), with the test program on it, and the server's host `srv`.
    pub fn new() -> Result<(Self, Host)> {
        sh(&format!(
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
             ip link add public type bridge && ip link set public up
             ip addr add {ADMIN}/24 dev public"
        ))?;
        let server = Host {
            ns: "srv".into(),
            router: "srv".into(),
            address: SERVER,
            wan: SERVER,
        };
        sh("ip netns add srv && ip -n srv link set lo up")?;
        attach("srv", "eth0", &format!("{SERVER}/24"))?;
        Ok((Self::default(), server))
    }

    /// A host of its own on the public segment, without a router.
    pub fn public_host(&mut self, name: &str) -> Result<Host> {
        self.routers += 1;
        let address = Ipv4Addr::new(203, 0, 113, 100 + self.routers);
        sh(&format!(
            "ip netns add {name} && ip -n {name} link set lo up"
        ))?;
        attach(name, "eth0", &format!("{address}/24"))?;
        Ok(Host {
            ns: name.into(),
            router: name.into(),
            address,
            wan: address,
        })
    }

    /// A host behind a router of this kind.
    pub fn host(&mut self, name: &str, nat: Nat) -> Result<Host> {
        self.routers += 1;
        let n = self.routers;
        let (router, wan) = (format!("r-{name}"), Ipv4Addr::new(203, 0, 113, 100 + n));
        let (gateway, address) = lan(n);
        sh(&format!(
            "ip netns add {router}; ip -n {router} link set lo up
             ip netns add {name}; ip -n {name} link set lo up
             ip link add lan netns {router} type veth peer name eth0 netns {name}
             ip -n {router} addr add {gateway}/28 dev lan; ip -n {router} link set lan up
             ip -n {name} addr add {address}/28 dev eth0; ip -n {name} link set eth0 up
             ip -n {name} route add default via {gateway}"
        ))?;
        attach(&router, "wan", &format!("{wan}/24"))?;
        sh_in(&router, "sysctl -qw net.ipv4.ip_forward=1")?;
        let host = Host {
            ns: name.into(),
            router,
            address,
            wan,
        };
        host.set_nat(nat)?;
        Ok(host)
    }
}

/// The network of [`Topology::behind`].
const INNER: &str = "192.0.2";

impl Topology {
    /// A host on a segment of its own, 192.0.2.0/24, which only `gates` share: they
    /// have its first addresses and forward packets. It knows no other network.
    pub fn behind(&mut self, name: &str, gates: &[&Host]) -> Result<Host> {
        let address = Ipv4Addr::new(192, 0, 2, 100);
        sh(&format!(
            "ip netns add {name} && ip -n {name} link set lo up
             ip -n {name} link add inner type bridge && ip -n {name} link set inner up
             ip -n {name} addr add {address}/24 dev inner"
        ))?;
        for (n, gate) in (1..).zip(gates) {
            let gate = &gate.ns;
            sh(&format!(
                "ip link add inner netns {gate} type veth peer name i-{gate} netns {name}
                 ip -n {name} link set i-{gate} master inner up
                 ip -n {gate} addr add {INNER}.{n}/24 dev inner; ip -n {gate} link set inner up"
            ))?;
            sh_in(gate, "sysctl -qw net.ipv4.ip_forward=1")?;
        }
        Ok(Host {
            ns: name.into(),
            router: name.into(),
            address,
            wan: address,
        })
    }
}

/// The n-th private network: its router's address and its host's.
fn lan(n: u8) -> (Ipv4Addr, Ipv4Addr) {
    let base = 16 * (n % 16);
    let net = if n < 16 { [198, 51, 100] } else { [192, 0, 2] };
    let at = |host| Ipv4Addr::new(net[0], net[1], net[2], base + host);
    (at(1), at(2))
}

/// Connects `interface` of namespace `ns` to the public segment.
fn attach(ns: &str, interface: &str, address: &str) -> Result<()> {
    sh(&format!(
        "ip link add p-{ns} master public type veth peer name {interface} netns {ns}
         ip link set p-{ns} up
         ip -n {ns} addr add {address} dev {interface}; ip -n {ns} link set {interface} up"
    ))
}

impl Host {
    /// A command that runs on this host.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        command_in(&self.ns, program)
    }

    /// Runs a line of shell on this host.
    pub fn sh(&self, line: &str) -> Result<()> {
        sh_in(&self.ns, line)
    }

    /// Takes the block of [`Nat::UdpBlocked`] away and leaves everything else, so that no
    /// connection is touched: the router behaves as [`Nat::Easy`].
    pub fn allow_udp(&self) -> Result<()> {
        sh_in(
            &self.router,
            "nft delete rule ip filter forward handle \
             $(nft -a list chain ip filter forward | sed -n 's/.*l4proto udp drop # handle //p')",
        )
    }

    /// Changes the router's rules; what it had mapped is forgotten.
    pub fn set_nat(&self, nat: Nat) -> Result<()> {
        let rules = nat.rules(&self.wan.to_string());
        sh_in(
            &self.router,
            &format!("nft flush ruleset; nft -f - <<'RULES'\n{rules}\nRULES"),
        )
    }
}
