//! Where the built programs are.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The path of a built program: in `WARREN_BIN_DIR` if set, else beside the test program.
pub fn program(name: &str) -> Result<PathBuf> {
    let path = dir()?.join(name);
    if !path.exists() {
        bail!("{} is not built; `make test` builds it", path.display());
    }
    Ok(path)
}

/// As [`program`], where it may be absent.
pub fn find(name: &str) -> Option<PathBuf> {
    program(name).ok()
}

fn dir() -> Result<PathBuf> {
    match std::env::var_os("WARREN_BIN_DIR") {
        Some(dir) => Ok(PathBuf::from(dir)),
        None => beside_tests(),
    }
}

/// `target/PROFILE`, two folders above `target/PROFILE/deps/TEST`.
fn beside_tests() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    match me.ancestors().nth(2) {
        Some(dir) => Ok(dir.to_owned()),
        None => bail!("{} has no folder above it", me.display()),
    }
}
