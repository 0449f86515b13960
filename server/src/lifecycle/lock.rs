//! One process at a time works on a data directory.

use std::{
    fs::{File, TryLockError},
    io::{Read as _, Seek as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use anyhow::{Context as _, Result};

/// The file in the data directory that is locked.
const FILE: &str = "lock";

/// Holds the data directory; let go when dropped, also by `kill -9`.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Somebody else holds the data directory.
#[derive(Debug, thiserror::Error)]
#[error("the data directory {dir} is in use by process {pid}")]
pub struct InUse {
    dir: String,
    pid: String,
}

impl DirLock {
    /// Takes the directory, or fails with [`InUse`] at once.
    pub fn take(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut pid = String::new();
                let _ = file.read_to_string(&mut pid);
                return Err(InUse {
                    dir: dir.display().to_string(),
                    pid: pid.trim().to_owned(),
                }
                .into());
            }
            Err(TryLockError::Error(e)) => {
                return Err(e).with_context(|| format!("locking {}", path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_held_by_one_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let held = DirLock::take(dir.path()).unwrap();
        let refusal = DirLock::take(dir.path()).unwrap_err();
        assert!(refusal.is::<InUse>());
        let says = refusal.to_string();
        assert!(says.contains(&std::process::id().to_string()), "{says}");
        drop(held);
        DirLock::take(dir.path()).unwrap();
    }
}
