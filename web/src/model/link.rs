//! One-time links as people paste them.

use wire::paths::SIGN_IN_PAGE;

/// The token of a pasted link, or the token itself; `None` when it can be neither.
pub(crate) fn token(pasted: &str) -> Option<String> {
    let pasted = pasted.trim();
    let token = match pasted.split_once('#') {
        Some((before, token)) if before.ends_with(SIGN_IN_PAGE) => token,
        Some(_) => return None,
        None => pasted,
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (token.len() >= 16 && token.chars().all(plain)).then(|| token.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "warren_link_0123456789abcdef";

    #[test]
    fn a_link_and_its_token_are_both_taken() {
        let link = wire::paths::one_time_link("https://warren.example:8443", TOKEN);
        assert_eq!(token(&format!("  {link}\n")).as_deref(), Some(TOKEN));
        assert_eq!(token(TOKEN).as_deref(), Some(TOKEN));
    }

    #[test]
    fn other_text_is_no_link() {
        for text in [
            "",
            "hello",
            "https://warren.example/machines",
            "https://a/#0123456789abcdef",
        ] {
            assert_eq!(token(text), None, "{text}");
        }
    }
}
