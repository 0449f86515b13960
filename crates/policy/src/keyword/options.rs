//! Options of the whole tenant.

use super::{Keyword, Support, fields, forms};
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
        let Some(text) = shape::text(value, "`oneCGNATRoute`", sink) else {
            return;
        };
        match text.text.as_str() {
            "" => {}
            "mac-always" | "mac-never" => keep("oneCGNATRoute", value, document, sink),
            other => sink
                .error(
                    Code::WrongType,
                    value.span,
                    format!("`{other}` is no way to write routes"),
                )
                .help("write `mac-always`, `mac-never`, or leave it empty"),
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

pub(super) const ATTR_CONFIG: Keyword = Keyword {
    name: "attrConfig",
    summary: "What attributes of the tenant's own are, and who may set and see them.",
    example: r#"{ "custom:tier": { "type": "string", "allowSetByNode": true } }"#,
    form: forms::ATTR_CONFIG,
    support: Support::Read(attr_config),
};

fn attr_config(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(members) = shape::members(value, "`attrConfig`", sink) else {
        return;
    };
    let before = sink.errors();
    for member in &members {
        let what = format!("`{}`", member.key.text);
        fields::read(&member.value, &what, forms::ATTRIBUTE, sink);
    }
    if sink.errors() == before && !members.is_empty() {
        keep("attrConfig", value, document, sink);
    }
}

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
