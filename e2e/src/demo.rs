//! `make demo`: three agents behind NATs, and a console to look at them, until Ctrl-C.
//!
//! The outer program stays on this machine: it listens on loopback and hands
//! each connection through a unix socket to the inner one, which lives in the
//! lab and connects to the server there. So no interface, address or route of
//! this machine is touched.

use std::{
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use tokio::{
    net::{TcpListener, TcpStream, UnixListener, UnixStream},
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

use crate::{
    agent::{Agent, Via},
    lab::{self, Nat, Topology},
    stack::Stack,
};

const HOSTS: [(&str, Nat); 3] = [
    ("laptop", Nat::Easy),
    ("office", Nat::Easy),
    ("hotel", Nat::UdpBlocked),
];
const OWNER_TENANT: &str = "demo";

/// Runs the demonstration until Ctrl-C or SIGTERM.
pub fn main() -> Result<()> {
    if lab::scratch().is_err() {
        return outer();
    }
    lab::enter()?;
    inner()
}

fn socket(scratch: &Path) -> PathBuf {
    scratch.join("console.sock")
}

/// On this machine: the folder, the way in, and the end.
fn outer() -> Result<()> {
    lab::check()?;
    let scratch = tempfile::Builder::new().prefix("warren-demo-").tempdir()?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let console = TcpListener::bind("127.0.0.1:0").await?;
        let port = console.local_addr()?.port();
        // A group of its own: Ctrl-C ends it through us, after which nothing is left of the lab.
        let mut inside = Command::new(std::env::current_exe()?)
            .arg("demo")
            .env(lab::SCRATCH, scratch.path())
            .env(PORT, port.to_string())
            .process_group(0)
            .spawn()?;
        let (mut stop, mut term) = (
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
        );
        let mut check = tokio::time::interval(Duration::from_millis(200));
        let early = loop {
            tokio::select! {
                _ = stop.recv() => break None,
                _ = term.recv() => break None,
                _ = check.tick() => if let Some(status) = inside.try_wait()? { break Some(status) },
                accepted = console.accept() => {
                    if let Ok((client, _)) = accepted {
                        tokio::task::spawn(to_lab(client, socket(scratch.path())));
                    }
                }
            }
        };
        if let Some(status) = early {
            anyhow::bail!("the lab ended by itself ({status})");
        }
        println!("\ncleaning up");
        inside.kill()?;
        inside.wait()?;
        Ok(())
    })
}

async fn to_lab(mut client: TcpStream, socket: PathBuf) -> Result<()> {
    let mut lab = UnixStream::connect(socket).await?;
    tokio::io::copy_bidirectional(&mut client, &mut lab).await?;
    Ok(())
}

/// The port of the console on this machine, for the inner program.
const PORT: &str = "LAB_CONSOLE_PORT";

/// In the lab: everything that is shown.
fn inner() -> Result<()> {
    let port = std::env::var_os(PORT).context("the port of the console")?;
    let port = port.into_string().ok().context("a port")?;
    let (mut net, srv) = Topology::new()?;
    // The certificate holds for this machine's address, too.
    let names = r#"["127.0.0.1", "localhost"]"#;
    let stack = Stack::start_with(&srv, &[("WARREN_TLS__LOCAL_CA_NAMES", names)])?;
    let tenant = stack.tenant(OWNER_TENANT)?;
    let key = tenant.auth_key()?;
    let mut agents = Vec::new();
    for (name, nat) in HOSTS {
        agents.push(Agent::join(&net.host(name, nat)?, &stack, &key)?);
    }
    let [laptop, office, hotel] = &agents[..] else {
        anyhow::bail!("three agents");
    };
    for (from, to) in [(laptop, office), (office, hotel), (hotel, laptop)] {
        println!("{} reaches {} {}", from.name, to.name, path(from, to)?);
    }
    say(&stack, &tenant.owner, &port)?;
    serve(&stack)
}

/// How the one reaches the other, once a direct path has had its time to be proved.
fn path(from: &Agent, to: &Agent) -> Result<String> {
    let address = to.address()?.to_string();
    let patience = Duration::from_secs(10);
    let via = from.ping(&address, patience)?;
    let both_may = from.name != "hotel" && to.name != "hotel";
    if both_may && !via.is_direct() {
        from.ping_until(&address, patience, Via::is_direct)?;
    }
    Ok(match from.ping(&address, patience)? {
        Via::Direct(at) => format!("({address}) directly at {at}"),
        Via::Relay => format!("({address}) through the relay"),
    })
}

fn say(stack: &Stack, owner: &str, port: &str) -> Result<()> {
    let made = stack.admin(&["login-link", "--email", owner])?;
    let link = made["url"].as_str().context("no url in the answer")?;
    let rest = link
        .strip_prefix(&stack.url())
        .context("the server's URL")?;
    let agent = crate::program::program("warren")?;
    let sock = lab::scratch()?.join("agent-laptop/warren.sock");
    println!(
        "\nThree agents run: laptop and office behind NATs, hotel where no UDP passes.\n\n\
         Console:  https://127.0.0.1:{port}{rest}\n\
         (Your browser warns of the lab's own CA; its certificate is {}.)\n\
         An agent: {} status --socket {}\n\n\
         Ctrl-C ends it all and leaves nothing behind.",
        stack.ca_file()?.display(),
        agent.display(),
        sock.display()
    );
    Ok(())
}

/// Connects what comes from outside to the server, until this program is ended.
fn serve(stack: &Stack) -> Result<()> {
    let to = format!("{}:443", stack.host.address);
    let path = socket(&lab::scratch()?);
    ensure!(!path.exists(), "{} is in use", path.display());
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let outside = UnixListener::bind(path)?;
        loop {
            let (mut client, _) = outside.accept().await?;
            let to = to.clone();
            tokio::task::spawn(async move {
                let mut server = TcpStream::connect(to).await?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await
            });
        }
    })
}
