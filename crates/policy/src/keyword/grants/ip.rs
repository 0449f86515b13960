//! The `ip` of a grant: protocols and ports.

use wire::net::PortRange;

use crate::{
    diagnostic::{Code, Sink},
    document::Traffic,
    protocol, shape,
    source::{Text, Value},
    target,
};

/// Reads the list; an entry that cannot be read is left out.
pub(super) fn read(value: &Value, sink: &mut Sink) -> Option<Vec<Traffic>> {
    let texts = shape::texts(value, "`ip`", sink)?;
    let before = sink.errors();
    let all: Vec<Traffic> = texts.iter().filter_map(|t| entry(t, sink)).collect();
    // Nothing readable is an error of its own already.
    (!all.is_empty() || sink.errors() == before).then_some(all)
}

const HELP: &str = "write `*`, `443`, `8000-8999`, `tcp:443` or `icmp:*`";

fn entry(text: &Text, sink: &mut Sink) -> Option<Traffic> {
    let (name, ports) = match text.text.rsplit_once(':') {
        Some((name, ports)) => (Some(name), ports),
        None => (None, text.text.as_str()),
    };
    let empty = match (name, ports) {
        (None, "") => Some("empty string"),
        (Some(""), _) => Some("empty protocol"),
        (Some(_) | None, _) => None,
    };
    if let Some(why) = empty {
        sink.error(Code::InvalidPorts, text.span, why).help(HELP);
        return None;
    }
    let protocol = match name {
        None | Some("*") => None,
        Some(name) => Some(protocol::read(
            &Text {
                span: text.span,
                text: name.to_owned(),
            },
            sink,
        )?),
    };
    let ranges = match target::read_ports(ports) {
        Ok(ranges) => ranges,
        Err(why) => {
            sink.error(Code::InvalidPorts, text.span, why).help(HELP);
            return None;
        }
    };
    let any = ranges.iter().all(|p| *p == PortRange::ANY);
    if protocol.as_ref().is_some_and(|p| !p.has_ports()) && !any {
        sink.error(
            Code::InvalidPorts,
            text.span,
            format!("`{}` names ports of a protocol without ports", text.text),
        )
        .help("write `*` for the ports");
        return None;
    }
    Some(Traffic {
        span: text.span,
        protocol,
        ports: ranges,
    })
}
