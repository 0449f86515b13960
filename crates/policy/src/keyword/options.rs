//! Options of the whole tenant.

use super::{Keyword, Support, forms};
use crate::{
    diagnostic::{Code, Sink},
    document::{Document, Kept},
    shape,
    source::Value,
};

pub(super) const RANDOMIZE_CLIENT_PORT: Keyword = Keyword {
    name: "randomizeClientPort",
    summary: "Lets clients listen on a random UDP port.",
    example: "true",
    form: forms::BOOLEAN,
    support: Support::Read(|value, document, sink| {
        if let Some(on) = shape::boolean(value, "`randomizeClientPort`", sink) {
            document.options.randomize_client_port = on;
        }
    }),
};

pub(super) const DISABLE_IPV4: Keyword = Keyword {
    name: "disableIPv4",
    summary: "Takes IPv4 addresses away from all nodes.",
    example: "false",
    form: forms::BOOLEAN,
    support: Support::Read(|value, document, sink| {
        if let Some(on) = shape::boolean(value, "`disableIPv4`", sink) {
            document.options.disable_ipv4 = on;
        }
    }),
};

pub(super) const ONE_CGNAT_ROUTE: Keyword = Keyword {
    name: "oneCGNATRoute",
    summary: "How clients write their route to the mesh.",
    example: r#""""#,
    form: forms::ONE_CGNAT_ROUTE,
    support: Support::Read(|value, document, sink| {
        if shape::text(value, "`oneCGNATRoute`", sink).is_some_and(|t| !t.text.is_empty()) {
            keep("oneCGNATRoute", value, document, sink);
        }
    }),
};

pub(super) const DERP_MAP: Keyword = Keyword {
    name: "derpMap",
    summary: "Relays of the tenant's own.",
    example: r#"{ "OmitDefaultRegions": false }"#,
    form: forms::DERP_MAP,
    support: Support::Read(|value, document, sink| {
        if value.kind != crate::source::Kind::Null
            && shape::members(value, "`derpMap`", sink).is_some()
        {
            keep("derpMap", value, document, sink);
        }
    }),
};

fn keep(name: &'static str, value: &Value, document: &mut Document, sink: &mut Sink) {
    sink.warning(
        Code::NotActedOn,
        value.span,
        format!("`{name}` is kept in the document, but this server does not act on it yet"),
    );
    document.options.kept.push(Kept {
        name,
        value: value.clone(),
    });
}
