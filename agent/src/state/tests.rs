use std::os::unix::fs::symlink;

use wire::NodeSecret;

use super::*;

fn dir() -> (tempfile::TempDir, PathBuf) {
    let outer = tempfile::tempdir().unwrap();
    let path = outer.path().join("state");
    (outer, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn keys_survive_a_restart_and_are_for_us_alone() {
    let (_outer, path) = dir();
    let first = StateDir::open(&path).unwrap();
    let mut stored = first.load(Stored::new).unwrap();
    let mut profile = Profile::new("https://192.0.2.1".parse().unwrap());
    profile.node_key = Some(profile::new_node_key());
    stored.profile = Some(profile);
    first.save(&stored).unwrap();
    drop(first);
    assert_eq!(mode(&path), 0o700);
    assert_eq!(mode(&path.join(STATE)), 0o600);

    let again = StateDir::open(&path).unwrap();
    let back = again.load(|| panic!("there is a state")).unwrap();
    assert_eq!(back.machine_key.public(), stored.machine_key.public());
    let key = |s: &Stored| {
        s.profile
            .as_ref()?
            .node_key
            .as_ref()
            .map(NodeSecret::public)
    };
    assert_eq!(key(&back), key(&stored));
}

#[test]
fn looser_modes_are_refused() {
    let (_outer, path) = dir();
    StateDir::open(&path).unwrap().load(Stored::new).unwrap();
    chmod(&path.join(STATE), 0o640);
    let error = StateDir::open(&path)
        .unwrap()
        .load(Stored::new)
        .unwrap_err();
    assert!(matches!(error, StateError::Loose { mode: 0o640, .. }));
    chmod(&path, 0o750);
    let error = StateDir::open(&path).unwrap_err();
    assert!(matches!(
        error,
        StateError::Loose {
            mode: 0o750,
            wanted: 0o700,
            ..
        }
    ));
    assert!(error.to_string().contains("chmod 0700"));
}

#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let (outer, path) = dir();
    let target = outer.path().join("target");
    fs::write(&target, "{}").unwrap();
    chmod(&target, 0o600);
    let state = StateDir::open(&path).unwrap();
    symlink(&target, path.join(STATE)).unwrap();
    assert!(matches!(
        state.load(Stored::new).unwrap_err(),
        StateError::Io { .. }
    ));
    fs::remove_file(path.join(STATE)).unwrap();
    symlink(&target, path.join(format!(".{STATE}.new"))).unwrap();
    state.load(Stored::new).unwrap();
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");
}

#[test]
fn two_daemons_do_not_share_a_folder() {
    let (_outer, path) = dir();
    let first = StateDir::open(&path).unwrap();
    assert!(matches!(StateDir::open(&path), Err(StateError::InUse(_))));
    drop(first);
    StateDir::open(&path).unwrap();
}

#[test]
fn a_damaged_or_newer_state_is_named_and_kept() {
    let (_outer, path) = dir();
    let state = StateDir::open(&path).unwrap();
    state.load(Stored::new).unwrap();
    let file = path.join(STATE);
    let good = fs::read_to_string(&file).unwrap();
    for bad in [
        good[..good.len() / 2].to_owned(),
        good.replace("\"version\":1", "\"version\":99"),
        good.replace("privkey:", "privkey:zz"),
    ] {
        fs::write(&file, &bad).unwrap();
        let error = state.load(Stored::new).unwrap_err();
        assert!(matches!(error, StateError::Unreadable { .. }), "{error}");
        assert!(!error.to_string().contains("privkey"), "{error}");
        assert_eq!(fs::read_to_string(&file).unwrap(), bad);
    }
}

#[test]
fn a_write_that_was_cut_off_leaves_the_old_state() {
    let (_outer, path) = dir();
    let state = StateDir::open(&path).unwrap();
    let stored = state.load(Stored::new).unwrap();
    fs::write(path.join(format!(".{STATE}.new")), "{\"ver").unwrap();
    let back = state.load(|| panic!("there is a state")).unwrap();
    assert_eq!(back.machine_key.public(), stored.machine_key.public());
    state.save(&stored).unwrap();
    assert!(!path.join(format!(".{STATE}.new")).exists());
}

#[test]
fn a_netmap_is_kept_and_a_damaged_one_left_aside() {
    let (_outer, path) = dir();
    let state = StateDir::open(&path).unwrap();
    assert!(state.load_netmap().unwrap().is_none());
    let map = MapResponse {
        domain: Some("acme".to_owned()),
        ..MapResponse::default()
    };
    state.netmap_file().save(&map).unwrap();
    assert_eq!(mode(&path.join(NETMAP)), 0o600);
    assert_eq!(state.load_netmap().unwrap(), Some(map));
    fs::write(path.join(NETMAP), "{").unwrap();
    assert!(state.load_netmap().unwrap().is_none());
    state.remove_netmap().unwrap();
    state.remove_netmap().unwrap();
    assert!(state.load_netmap().unwrap().is_none());
}

#[test]
fn secrets_are_not_printed() {
    let mut stored = Stored::new();
    let mut profile = Profile::new("https://192.0.2.1".parse().unwrap());
    profile.node_key = Some(profile::new_node_key());
    let hex = profile.node_key.as_ref().unwrap().to_state_text()[8..].to_owned();
    stored.profile = Some(profile);
    let shown = format!("{stored:?}");
    assert!(
        !shown.contains(&hex) && !shown.contains("privkey"),
        "{shown}"
    );
}
