//! What `warren up` means, given what was before.

use wire::{NodeKey, NodeSecret};

use crate::{
    control::{ServerUrl, login::Proof},
    local_api::protocol::{ErrorCode, Up},
    state::{Profile, Stored, profile::new_node_key},
    tls,
};

/// A request that cannot be met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) code: ErrorCode,
    pub(super) message: String,
}

fn refusal(message: impl Into<String>) -> Refusal {
    Refusal {
        code: ErrorCode::BadOption,
        message: message.into(),
    }
}

/// What is to be done.
#[derive(Debug)]
pub(super) enum Plan {
    /// The node is known: come back as it.
    Return(Box<Profile>),
    /// Log in with a new node key.
    Login(Box<NewLogin>),
}

/// A login to come.
#[derive(Debug)]
pub(super) struct NewLogin {
    /// As it will be when it worked.
    pub(super) profile: Profile,
    /// The new node key.
    pub(super) node: NodeSecret,
    /// The key that it replaces; zero: none.
    pub(super) old_key: NodeKey,
    /// How it is proved.
    pub(super) proof: Proof,
}

/// Why the node key at hand does not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It does.
    Good,
    /// It has expired.
    Expired,
    /// The server does not know it any more.
    Unknown,
}

/// Decides. Nothing is changed yet.
pub(super) fn plan(stored: &Stored, standing: Standing, up: &Up) -> Result<Plan, Refusal> {
    let mut profile = profile(stored, up)?;
    if let Some(digest) = &up.ca_sha256 {
        set_ca(&mut profile, digest)?;
    }
    if let Some(name) = &up.hostname {
        profile.hostname = hostname(name)?;
    }
    if let Some(tags) = &up.tags {
        profile.tags = checked_tags(tags)?;
    }
    let known = profile.node_key.as_ref().map(NodeSecret::public);
    if known.is_some() && standing == Standing::Good && !up.force {
        return Ok(Plan::Return(Box::new(profile)));
    }
    let proof = match up.auth_key.as_deref().map(str::trim) {
        None => Proof::Person,
        Some("") => return Err(refusal("the auth key is empty")),
        Some(key) => Proof::AuthKey(key.to_owned()),
    };
    let old_key = known.filter(|_| standing != Standing::Unknown);
    Ok(Plan::Login(Box::new(NewLogin {
        profile,
        node: new_node_key(),
        old_key: old_key.unwrap_or(NodeKey::ZERO),
        proof,
    })))
}

fn profile(stored: &Stored, up: &Up) -> Result<Profile, Refusal> {
    let given = up.server.as_deref().map(str::parse::<ServerUrl>);
    let given = given.transpose().map_err(|e| refusal(e.to_string()))?;
    match (stored.profile.clone(), given) {
        (None, None) => Err(refusal(
            "which server? Name it: warren up --server https://warren.example.com",
        )),
        (None, Some(url)) => Ok(Profile::new(url)),
        (Some(profile), None) => Ok(profile),
        (Some(profile), Some(url)) if profile.server == url => Ok(profile),
        (Some(profile), Some(url)) if profile.node_key.is_none() => Ok(Profile {
            hostname: profile.hostname,
            tags: profile.tags,
            ..Profile::new(url)
        }),
        (Some(profile), Some(_)) => Err(refusal(format!(
            "this machine is a member at {}; to join another server, leave first: warren logout",
            profile.server
        ))),
    }
}

fn set_ca(profile: &mut Profile, digest: &str) -> Result<(), Refusal> {
    if digest.is_empty() {
        profile.ca_sha256 = None;
        profile.pinned = None;
        return Ok(());
    }
    let digest = tls::parse_digest(digest).ok_or_else(|| {
        refusal("--server-ca-sha256 is not a SHA-256 digest, which has 64 hex digits")
    })?;
    let digest = hex::encode(digest);
    if profile.ca_sha256.as_ref() != Some(&digest) {
        profile.ca_sha256 = Some(digest);
        profile.pinned = None;
    }
    Ok(())
}

fn hostname(name: &str) -> Result<Option<String>, Refusal> {
    if name.is_empty() {
        return Ok(None);
    }
    let usable = name.len() <= 255 && !name.chars().any(|c| c.is_control() || c.is_whitespace());
    if !usable {
        return Err(refusal(format!("`{name}` cannot be a machine's name")));
    }
    Ok(Some(name.to_owned()))
}

fn checked_tags(tags: &[String]) -> Result<Vec<String>, Refusal> {
    let mut tags: Vec<_> = tags.iter().map(|t| t.trim().to_owned()).collect();
    tags.retain(|t| !t.is_empty());
    for tag in &tags {
        if tag.parse::<wire::name::Tag>().is_err() {
            return Err(refusal(format!(
                "`{tag}` is not a tag; a tag looks like tag:server"
            )));
        }
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://warren.example.com";

    fn up(change: impl FnOnce(&mut Up)) -> Up {
        let mut up = Up::default();
        change(&mut up);
        up
    }

    fn member() -> Stored {
        let mut profile = Profile::new(URL.parse().unwrap());
        profile.node_key = Some(new_node_key());
        Stored {
            profile: Some(profile),
            ..Stored::new()
        }
    }

    fn refused(stored: &Stored, up: &Up) -> String {
        plan(stored, Standing::Good, up).unwrap_err().message
    }

    fn login(stored: &Stored, standing: Standing, up: &Up) -> NewLogin {
        match plan(stored, standing, up).unwrap() {
            Plan::Login(login) => *login,
            Plan::Return(_) => panic!("it should log in"),
        }
    }

    #[test]
    fn the_first_time_needs_a_server() {
        assert!(refused(&Stored::new(), &Up::default()).contains("--server"));
        let first = up(|u| u.server = Some(URL.to_owned()));
        let login = login(&Stored::new(), Standing::Good, &first);
        assert_eq!(login.proof, Proof::Person);
        assert!(login.old_key.is_zero());
    }

    #[test]
    fn a_member_comes_back_as_the_same_node() {
        let with_key = up(|u| u.auth_key = Some("key".to_owned()));
        let same = up(|u| u.server = Some(format!("{URL}/")));
        for request in [Up::default(), with_key, same] {
            let plan = plan(&member(), Standing::Good, &request).unwrap();
            assert!(matches!(plan, Plan::Return(_)));
        }
    }

    #[test]
    fn an_expired_key_is_replaced_and_named_and_an_unknown_one_forgotten() {
        let member = member();
        let old = member.profile.as_ref().unwrap().node_key.as_ref().unwrap();
        let expired = login(&member, Standing::Expired, &Up::default());
        assert_eq!(expired.old_key, old.public());
        assert_ne!(expired.node.public(), old.public());
        let forced = login(&member, Standing::Good, &up(|u| u.force = true));
        assert_eq!(forced.old_key, old.public());
        assert!(
            login(&member, Standing::Unknown, &Up::default())
                .old_key
                .is_zero()
        );
    }

    #[test]
    fn another_server_needs_a_logout_first() {
        let other = up(|u| u.server = Some("https://other.example".to_owned()));
        assert!(refused(&member(), &other).contains("warren logout"));
        let mut planned = member();
        planned.profile.as_mut().unwrap().node_key = None;
        let login = login(&planned, Standing::Good, &other);
        assert_eq!(login.profile.server.host(), "other.example");
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_name() {
        let bad = |change: fn(&mut Up)| refused(&member(), &up(change));
        assert!(bad(|u| u.ca_sha256 = Some("ab".to_owned())).contains("64 hex digits"));
        assert!(bad(|u| u.tags = Some(vec!["server".to_owned()])).contains("tag:server"));
        assert!(bad(|u| u.hostname = Some("two words".to_owned())).contains("two words"));
        assert!(bad(|u| u.server = Some("http://192.0.2.1".to_owned())).contains("https"));
        let empty = up(|u| {
            u.force = true;
            u.auth_key = Some(" ".to_owned());
        });
        assert!(refused(&member(), &empty).contains("empty"));
    }

    #[test]
    fn a_new_digest_makes_the_found_ca_void() {
        let mut stored = member();
        let profile = stored.profile.as_mut().unwrap();
        profile.ca_sha256 = Some("aa".repeat(32));
        profile.pinned = Some(crate::state::profile::Pinned::Certificate);
        let trust = |digest: String| {
            let request = up(|u| u.ca_sha256 = Some(digest));
            match plan(&stored, Standing::Good, &request).unwrap() {
                Plan::Return(profile) => profile.trust(),
                Plan::Login(_) => panic!("it should return"),
            }
        };
        assert!(trust("AA".repeat(32)).is_some());
        assert!(trust("bb".repeat(32)).is_none());
        assert_eq!(trust(String::new()), Some(tls::Trust::Public));
    }
}
