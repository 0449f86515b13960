//! The commands for one server and one proof.

use std::sync::Arc;

use leptos::prelude::*;
use wire::api::server::ServerInfo;

use crate::{
    components::{command::Command, copy::CopyText, notice::Notice},
    model::command::{self, Proof},
};

/// Our agent first, then what is installed already, then Tailscale's clients.
#[component]
pub(crate) fn Commands(server: Signal<Arc<ServerInfo>>, proof: Proof) -> impl IntoView {
    move || {
        let server = server.get();
        let install = command::install_and_join(&server, &proof);
        let join = command::join(&server, &proof);
        let tailscale = command::tailscale(&server, &proof);
        let ca = server.ca_sha256.clone();
        view! {
            <div class="grid gap-5">
                {match install {
                    Some(text) => {
                        view! {
                            <Command label="install and join (Linux, as root)" name="join-command" text/>
                            <More title="The agent is installed already">
                                <Command label="join only" name="join-only-command" text=join/>
                            </More>
                        }
                            .into_any()
                    }
                    None => {
                        view! {
                            <Command label="join (Linux, as root)" name="join-command" text=join/>
                            <Notice>
                                <p>
                                    "This server has no agent to give away: install " <code class="font-mono">"warren"</code>
                                    " from its package first. The server's configuration says where an agent is (install.agent)."
                                </p>
                            </Notice>
                        }
                            .into_any()
                    }
                }}
                <More title="Use an official Tailscale client">
                    <Command label="join with Tailscale's client" name="tailscale-command" text=tailscale/>
                    {ca.map(|digest| view! { <TrustCa digest/> })}
                </More>
            </div>
        }
    }
}

#[component]
fn More(title: &'static str, children: Children) -> impl IntoView {
    view! {
        <details class="rounded-lg border border-line px-4 py-3">
            <summary class="text-sm font-medium">{title}</summary>
            <div class="mt-4 grid gap-4">{children()}</div>
        </details>
    }
}

/// How an official client comes to trust the server's own CA.
#[component]
fn TrustCa(digest: String) -> impl IntoView {
    view! {
        <div class="grid gap-3 text-sm">
            <p>
                "This server has a certificate authority of its own, which the machine must trust first. Download "
                <a class="link" href="/ca.pem" download="ca.pem">
                    "ca.pem"
                </a> ", check its digest, and put it into the system's store, or start "
                <code class="font-mono">"tailscaled"</code> " with "
                <code class="font-mono">"SSL_CERT_FILE=/path/to/ca.pem"</code> "."
            </p>
            <Command label="check the certificate" name="ca-command" text=command::CA_DIGEST.to_owned()/>
            <p class="flex min-w-0 flex-col items-start gap-1">
                <span class="text-muted">"It must print"</span>
                <CopyText text=digest label="digest"/>
            </p>
        </div>
    }
}
