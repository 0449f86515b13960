//! What people type, read.

use std::net::IpAddr;

use policy::{
    explain::{self, Explainer, Typed},
    protocol,
};
use wire::{
    NodeId,
    api::policy::explain::Traffic,
    net::{PortRange, protocol::ICMPV6},
};

use super::{Scene, words};
use crate::error::{Error, Result};

/// The longest name that is looked for.
const MOST: usize = 300;

/// Protocol and ports.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) protocol: u8,
    /// At least one range, sorted.
    pub(super) ports: Vec<PortRange>,
}

impl Asked {
    /// Ports as documents write them, or the protocol's name where it has none.
    pub(super) fn told(&self, ports: &[PortRange]) -> String {
        if protocol::has_ports(self.protocol) {
            words::ports(ports)
        } else {
            protocol::name_of(self.protocol)
        }
    }
}

/// One end, or what is wrong with the field at `pointer`.
pub(super) fn end(scene: &Scene<'_>, pointer: &str, text: &str) -> Result<Typed> {
    if text.trim().is_empty() {
        return Err(Error::invalid(
            pointer,
            "name a user, a group, a tag, a machine, a host or an address",
        ));
    }
    if text.len() > MOST {
        return Err(Error::invalid(pointer, "no name is as long as this"));
    }
    let explainer: &Explainer<'_> = scene.explainer;
    let typed = explainer.typed(text, scene.devices);
    typed.or_else(|unclear| {
        by_id(scene, text.trim()).ok_or_else(|| {
            let said = with_port(scene, text.trim()).unwrap_or_else(|| unclear.to_string());
            Error::invalid(pointer, said)
        })
    })
}

/// The machine with this id.
fn by_id(scene: &Scene<'_>, text: &str) -> Option<Typed> {
    let id = NodeId(text.parse().ok()?);
    let mut machines = scene.world.machines.iter();
    let at = machines.position(|machine| machine.id == id)?;
    Typed::device(at, scene.devices)
}

/// What is said of a name with a port behind it.
fn with_port(scene: &Scene<'_>, text: &str) -> Option<String> {
    let (name, port) = text.rsplit_once(':')?;
    explain::read_ports(port).ok()?;
    let inner = name.strip_prefix('[').and_then(|n| n.strip_suffix(']'));
    let name = inner.unwrap_or(name);
    scene.explainer.typed(name, scene.devices).ok()?;
    Some(format!(
        "write `{name}` here: the port {port} belongs among the ports"
    ))
}

/// One end, or addresses that lead nowhere.
pub(super) fn place(scene: &Scene<'_>, pointer: &str, text: &str) -> Result<Typed> {
    end(scene, pointer, text).or_else(|error| match port_in(scene, text.trim()) {
        Some(meant) => Err(Error::invalid(pointer, meant)),
        None => scene.explainer.nowhere(text).ok_or(error),
    })
}

/// What may be meant by an IPv6 address without brackets that ends in a port.
fn port_in(scene: &Scene<'_>, text: &str) -> Option<String> {
    let (bare, port) = text.rsplit_once(':')?;
    let address = IpAddr::V6(bare.parse().ok()?);
    explain::read_ports(port).ok()?;
    let mut devices = scene.devices.iter();
    let device = devices.find(|device| device.facts.addresses.contains(&address))?;
    Some(format!(
        "no machine has the address {text}; did you mean port {port} of {bare}, which is {}'s?",
        device.name
    ))
}

/// Both, or what is wrong with either.
pub(super) fn both<A, B>(a: Result<A>, b: Result<B>) -> Result<(A, B)> {
    match (a, b) {
        (Ok(a), Ok(b)) => Ok((a, b)),
        (Err(Error::Invalid(mut fields)), Err(Error::Invalid(more))) => {
            fields.extend(more);
            Err(Error::Invalid(fields))
        }
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// What packets are asked about.
pub(super) fn traffic(traffic: &Traffic) -> Result<Asked> {
    let pointer = "/question/traffic/protocol";
    let numbers = protocol::numbers(traffic.protocol.trim()).ok_or_else(|| {
        Error::invalid(
            pointer,
            format!(
                "`{}` is no protocol: write tcp, udp, icmp, another name, or a number",
                traffic.protocol.trim()
            ),
        )
    })?;
    let number = numbers.first().copied().unwrap_or(ICMPV6);
    Ok(Asked {
        protocol: number,
        ports: if protocol::has_ports(number) {
            ports(&traffic.ports)?
        } else {
            vec![PortRange::ANY]
        },
    })
}

fn ports(text: &str) -> Result<Vec<PortRange>> {
    explain::read_ports(text)
        .map_err(|unclear| Error::invalid("/question/traffic/ports", unclear.to_string()))
}
