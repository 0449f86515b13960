//! Where the built programs are.

use std::path::PathBuf;

use anyhow::{Result, bail};

/// The path of a built program: `WARREN_BIN_DIR` if set, else beside the test program.
#[expect(
    clippy::disallowed_methods,
    reason = "the test runner says where the programs are"
)]
pub fn program(name: &str) -> Result<PathBuf> {
    let dir = match std::env::var_os("WARREN_BIN_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => beside_tests()?,
    };
    let path = dir.join(name);
    if !path.exists() {
        bail!("{} is not built; `make test` builds it", path.display());
    }
    Ok(path)
}

/// `target/PROFILE`, two folders above `target/PROFILE/deps/TEST`.
fn beside_tests() -> Result<PathBuf> {
    let me = std::env::current_exe()?;
    match me.ancestors().nth(2) {
        Some(dir) => Ok(dir.to_owned()),
        None => bail!("{} has no folder above it", me.display()),
    }
}
