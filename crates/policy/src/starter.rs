//! The policy that a new tenant starts with.

/// Own devices, all members' devices among each other, and tagged servers
/// reachable by members. It parses without findings.
pub const STARTER: &str = include_str!("starter.hujson");

#[cfg(test)]
mod tests {
    #[test]
    fn the_starter_policy_parses_clean() {
        let (document, found) = crate::parse(super::STARTER);
        assert_eq!(found, []);
        assert_eq!(document.acls.map(|a| a.len()), Some(3));
    }
}
