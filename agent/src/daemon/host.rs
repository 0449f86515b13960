//! What this machine says of itself.

use std::fs;

use wire::control::Hostinfo;

/// What is announced, under `name` or the machine's own name, asking for `tags`.
pub(super) fn info(name: Option<&str>, tags: &[String]) -> Hostinfo {
    let own = || read("/proc/sys/kernel/hostname");
    Hostinfo {
        client_version: env!("CARGO_PKG_VERSION").to_owned(),
        os: std::env::consts::OS.to_owned(),
        os_version: read("/proc/sys/kernel/osrelease"),
        distro: distro(&fs::read_to_string("/etc/os-release").unwrap_or_default()),
        hostname: name.map_or_else(own, str::to_owned),
        go_arch: match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        }
        .to_owned(),
        request_tags: tags.to_vec(),
        ..Hostinfo::default()
    }
}

fn read(file: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    text.trim().to_owned()
}

fn distro(os_release: &str) -> String {
    let id = os_release.lines().find_map(|l| l.strip_prefix("ID="));
    id.unwrap_or_default().trim_matches('"').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_is_named_by_its_id() {
        assert_eq!(
            distro("NAME=\"X\"\nVERSION_ID=\"12\"\nID=debian\n"),
            "debian"
        );
        assert_eq!(distro("ID=\"fedora\""), "fedora");
        assert_eq!(distro(""), "");
    }

    #[test]
    fn a_given_name_goes_before_the_machines_own() {
        assert_eq!(info(Some("atlas"), &[]).hostname, "atlas");
        assert!(!info(None, &[]).hostname.is_empty());
    }
}
