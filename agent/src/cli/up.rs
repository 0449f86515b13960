//! `warren up`.

use std::{path::Path, sync::mpsc, time::Duration};

use clap::Args;
use qrcode::{EcLevel, QrCode, render::unicode};

use super::{Failure, unexpected};
use crate::{
    clock::Clock,
    local_api::{
        Reply, Request,
        client::{self, ClientError},
        protocol::Up,
    },
};

#[derive(Debug, Args)]
pub(super) struct Options {
    /// The server, `https://HOST[:PORT]`. Needed the first time only.
    #[arg(long, value_name = "URL")]
    server: Option<String>,
    /// SHA-256 of the certificate of the server's own CA, 64 hex digits, where the server has one.
    /// The console shows it under "Add device".
    #[arg(long, value_name = "DIGEST")]
    server_ca_sha256: Option<String>,
    /// An auth key, made in the console: the machine joins without a person. `file:PATH` reads it
    /// from a file, so that it appears in no list of processes.
    #[arg(long, value_name = "KEY")]
    auth_key: Option<String>,
    /// The name that the machine asks for. Empty: its own.
    #[arg(long, value_name = "NAME")]
    hostname: Option<String>,
    /// Tags to ask for, `tag:a,tag:b`; the policy says who may have them. Empty: none.
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    advertise_tags: Option<Vec<String>>,
    /// Sign in again with a new key, even if nothing asks for it.
    #[arg(long)]
    force_reauth: bool,
    /// Seconds to wait for a server that cannot be reached; 0: for ever. A person who has to sign
    /// in or to approve is always waited for.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    timeout: u64,
}

pub(super) fn run(socket: &Path, options: Options) -> Result<(), Failure> {
    let timeout = options.timeout;
    let request = Request::Up(request(options)?);
    let replies = client::ask(socket, &request)?;
    let (sender, queue) = mpsc::channel();
    std::thread::spawn(move || listen(replies, &sender));
    follow(&queue, timeout)
}

fn request(options: Options) -> Result<Up, Failure> {
    Ok(Up {
        server: options.server,
        ca_sha256: options.server_ca_sha256,
        auth_key: options.auth_key.map(auth_key).transpose()?,
        hostname: options.hostname,
        tags: options.advertise_tags,
        force: options.force_reauth,
    })
}

fn auth_key(given: String) -> Result<String, Failure> {
    let Some(file) = given.strip_prefix("file:") else {
        return Ok(given);
    };
    match std::fs::read_to_string(file) {
        Ok(key) => Ok(key.trim().to_owned()),
        Err(why) => Err(Failure::Told(format!(
            "cannot read the auth key: {file}: {why}"
        ))),
    }
}

fn listen(mut replies: client::Replies, sender: &mpsc::Sender<Result<Reply, ClientError>>) {
    loop {
        let reply = replies.read();
        let last = reply.as_ref().map_or(true, Reply::is_last);
        if sender.send(reply).is_err() || last {
            return;
        }
    }
}

/// What has been told already.
#[derive(Default)]
struct Told {
    link: Option<String>,
    trouble: Option<String>,
    approval: bool,
}

fn follow(queue: &mpsc::Receiver<Result<Reply, ClientError>>, timeout: u64) -> Result<(), Failure> {
    let mut told = Told::default();
    let clock = Clock::system();
    let begun = clock.now();
    loop {
        let waits_for_person = told.link.is_some() || told.approval;
        let reply = if timeout == 0 || waits_for_person {
            queue.recv().map_err(|_| Failure::Quiet)?
        } else {
            // News of trouble does not make the time longer.
            let waited = clock.now().saturating_duration_since(begun);
            let left = Duration::from_secs(timeout).saturating_sub(waited);
            let reply = (!left.is_zero()).then(|| queue.recv_timeout(left));
            match reply {
                Some(Ok(reply)) => reply,
                Some(Err(_)) | None => return Err(too_late(&told)),
            }
        };
        match reply? {
            Reply::Up { name, addresses } => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                println!("up as {name}, {}", addresses.join(", "));
                return Ok(());
            }
            Reply::Done { message } => {
                println!("{message}");
                return Ok(());
            }
            reply => tell(&mut told, &reply)?,
        }
    }
}

fn too_late(told: &Told) -> Failure {
    Failure::Told(match &told.trouble {
        Some(_) => "the daemon keeps trying; `warren status` shows how it goes, `warren down` \
                    stops it"
            .to_owned(),
        None => "the server has not answered yet; the daemon keeps trying, see `warren status`"
            .to_owned(),
    })
}

fn tell(told: &mut Told, reply: &Reply) -> Result<(), Failure> {
    match reply {
        Reply::SignIn { url } if told.link.as_ref() != Some(url) => {
            told.link = Some(url.clone());
            eprintln!("To let this machine in, open:\n\n    {url}\n");
            if let Some(picture) = qr(url) {
                eprintln!("{picture}");
            }
        }
        Reply::NeedsApproval if !told.approval => {
            told.approval = true;
            eprintln!("An administrator must approve this machine in the console. Waiting.");
        }
        Reply::Trouble { message } if told.trouble.as_ref() != Some(message) => {
            told.trouble = Some(message.clone());
            eprintln!("warren: {message}; trying again");
        }
        Reply::SignIn { .. } | Reply::NeedsApproval | Reply::Trouble { .. } => {}
        other => return Err(unexpected(other)),
    }
    Ok(())
}

/// The link as a picture that a phone reads from the terminal.
fn qr(url: &str) -> Option<String> {
    let code = QrCode::with_error_correction_level(url, EcLevel::L).ok()?;
    let picture = code
        .render::<unicode::Dense1x2>()
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    Some(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_auth_key_may_come_from_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "key\n").unwrap();
        let given = format!("file:{}", file.path().display());
        assert_eq!(auth_key(given).unwrap(), "key");
        assert_eq!(auth_key("key".to_owned()).unwrap(), "key");
        assert!(auth_key("file:/nowhere/at/all".to_owned()).is_err());
    }

    #[test]
    fn a_link_can_be_drawn() {
        let picture = qr("https://warren.example.com/register/abcdef").unwrap();
        assert!(picture.lines().count() > 10);
    }

    #[test]
    fn a_server_that_says_nothing_is_not_waited_for_without_end() {
        let (sender, queue) = mpsc::channel();
        let trouble = Reply::Trouble {
            message: "away".to_owned(),
        };
        sender.send(Ok(trouble)).unwrap();
        assert!(matches!(follow(&queue, 1), Err(Failure::Told(_))));
    }

    #[test]
    fn news_of_trouble_does_not_make_the_wait_longer() {
        let (sender, queue) = mpsc::sync_channel(0);
        std::thread::spawn(move || {
            let message = "away".to_owned();
            let trouble = Reply::Trouble { message };
            while sender.send(Ok(trouble.clone())).is_ok() {}
        });
        assert!(matches!(follow(&queue, 1), Err(Failure::Told(_))));
    }

    #[test]
    fn a_person_is_waited_for() {
        let (sender, queue) = mpsc::channel();
        let url = "https://warren.example.com/register/abc".to_owned();
        sender.send(Ok(Reply::SignIn { url })).unwrap();
        let (name, addresses) = ("a".to_owned(), vec![]);
        sender.send(Ok(Reply::Up { name, addresses })).unwrap();
        follow(&queue, 1).unwrap();
    }
}
