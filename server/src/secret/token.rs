//! Credentials for people and machines: `warren_KIND_ID_SECRET_CHECK`.
//!
//! The id names the record, the secret proves it, and the checksum lets a
//! typo be told from a revoked key without a look-up; secret scanners find
//! them by the prefix.

use crate::rng::Rng;

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Lets machines join.
    Auth,
    /// Sets the server up.
    Setup,
    /// Signs an existing person in.
    Login,
    /// Makes a person a member.
    Invite,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Auth => "auth",
            Self::Setup => "setup",
            Self::Login => "login",
            Self::Invite => "invite",
        }
    }
}

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const ID_LEN: usize = 12;
/// 43 digits of base 62 are 256 bits.
const SECRET_LEN: usize = 43;

/// A new token of this kind.
pub fn generate(kind: Kind, rng: Rng) -> String {
    let body = format!(
        "warren_{}_{}_{}",
        kind.word(),
        digits(rng, ID_LEN),
        digits(rng, SECRET_LEN)
    );
    let check = check(&body);
    format!("{body}_{check}")
}

/// The kind of a token whose form and checksum are right.
pub fn kind_of(token: &str) -> Option<Kind> {
    if token.len() > 128 {
        return None;
    }
    let (body, sum) = token.rsplit_once('_')?;
    if check(body) != sum {
        return None;
    }
    let word = body.strip_prefix("warren_")?.split('_').next()?;
    [Kind::Auth, Kind::Setup, Kind::Login, Kind::Invite]
        .into_iter()
        .find(|k| k.word() == word)
}

/// The part that may be shown to tell tokens apart: kind and id.
pub fn shown_prefix(token: &str) -> String {
    token.rsplitn(3, '_').last().unwrap_or_default().to_owned()
}

fn digits(rng: Rng, n: usize) -> String {
    let mut out = String::with_capacity(n);
    while out.len() < n {
        let byte: [u8; 1] = rng.bytes();
        // 248 is the largest multiple of 62 in a byte: no digit is likelier than another.
        if byte[0] < 248 {
            out.push(char::from(DIGITS[usize::from(byte[0]) % 62]));
        }
    }
    out
}

/// CRC-32 (IEEE), six digits of base 62.
fn check(body: &str) -> String {
    let mut crc = u32::MAX;
    for byte in body.bytes() {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xedb8_8320
            } else {
                crc >> 1
            };
        }
    }
    let mut rest = !crc;
    let mut out = [b'0'; 6];
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(rest % 62) as usize];
        rest /= 62;
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_tells_its_kind_and_its_typos() {
        let token = generate(Kind::Auth, Rng);
        assert_eq!(kind_of(&token), Some(Kind::Auth));
        assert!(token.starts_with(&shown_prefix(&token)));
        assert!(shown_prefix(&token).len() < 30, "the secret is not shown");
        let typo = token.replacen("warren_auth", "warren_aufh", 1);
        assert_eq!(kind_of(&typo), None);
        assert_eq!(kind_of("tskey-auth-x"), None);
        assert_ne!(token, generate(Kind::Auth, Rng));
    }
}
