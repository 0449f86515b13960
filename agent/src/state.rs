//! What outlives the process: keys, preferences, and the last netmap.
//!
//! A folder of mode 0700 with files of mode 0600, written whole or not at all.
//! Looser modes are refused: another user could have read, or planted, a key.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{
        DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use wire::control::MapResponse;
use zeroize::Zeroizing;

pub mod profile;

pub use profile::{Profile, Stored};

const STATE: &str = "state.json";
const NETMAP: &str = "netmap.json";
const LOCK: &str = "lock";
/// A larger file is not ours.
const MAX_FILE: u64 = 256 * 1024 * 1024;

/// Why the state cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// The system says no.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On what.
        path: PathBuf,
        /// The answer.
        source: io::Error,
    },
    /// Others may look in or write.
    #[error(
        "{} may be used by others (mode {mode:04o}); it holds this machine's keys: \
         chmod {wanted:04o} it, and think about who may have read it",
        path.display()
    )]
    Loose {
        /// Which file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it must have.
        wanted: u32,
    },
    /// Somebody else's.
    #[error("{} belongs to user {owner}, not to user {us}, who runs this daemon", path.display())]
    Owner {
        /// Which file or folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// Us.
        us: u32,
    },
    /// Two daemons.
    #[error("another warren daemon uses {}; stop it, or give this one another --state-dir", .0.display())]
    InUse(PathBuf),
    /// Not ours, or damaged.
    #[error(
        "{} cannot be read: {why}. Restore it from a backup, or remove it: the machine then joins \
         anew",
        path.display()
    )]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
}

/// The folder, held by this process alone.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    /// Locked for as long as it is open.
    _lock: File,
}

impl StateDir {
    /// Opens the folder, or makes it.
    pub fn open(path: &Path) -> Result<Self, StateError> {
        let io = |doing| move |source| failed(doing, path, source);
        if !path.exists() {
            fs::DirBuilder::new()
                .mode(0o700)
                .recursive(true)
                .create(path)
                .map_err(io("make"))?;
        }
        let metadata = fs::symlink_metadata(path).map_err(io("open"))?;
        if !metadata.is_dir() {
            return Err(io("open")(io::ErrorKind::NotADirectory.into()));
        }
        judge(path, &metadata, 0o700)?;
        let lock_path = path.join(LOCK);
        let lock = private(OpenOptions::new().write(true).create(true))
            .open(&lock_path)
            .map_err(|e| failed("open", &lock_path, e))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(fs::TryLockError::WouldBlock) => Err(StateError::InUse(path.to_owned())),
            Err(fs::TryLockError::Error(e)) => Err(failed("lock", &lock_path, e)),
        }
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keys and preferences; made and written at the first start.
    pub fn load(&self, new: impl FnOnce() -> Stored) -> Result<Stored, StateError> {
        let Some(text) = self.read(STATE)? else {
            let stored = new();
            self.save(&stored)?;
            return Ok(stored);
        };
        let stored: Stored = self.parse(STATE, &text)?;
        if stored.version > profile::VERSION {
            return Err(self.unreadable(
                STATE,
                format!(
                    "it was written by a newer warren (format {}, this one knows {})",
                    stored.version,
                    profile::VERSION
                ),
            ));
        }
        Ok(stored)
    }

    /// Writes keys and preferences.
    pub fn save(&self, stored: &Stored) -> Result<(), StateError> {
        self.write(STATE, stored)
    }

    /// The last netmap. A damaged one is as good as none: the server has a better one.
    pub fn load_netmap(&self) -> Result<Option<MapResponse>, StateError> {
        let Some(text) = self.read(NETMAP)? else {
            return Ok(None);
        };
        match self.parse(NETMAP, &text) {
            Ok(map) => Ok(Some(map)),
            Err(why) => {
                tracing::warn!(%why, "the kept netmap is left aside");
                Ok(None)
            }
        }
    }

    /// A door to the netmap's file that may move to another thread.
    pub fn netmap_file(&self) -> NetmapFile {
        NetmapFile(self.path.clone())
    }

    /// Forgets the last netmap.
    pub fn remove_netmap(&self) -> Result<(), StateError> {
        let path = self.path.join(NETMAP);
        match fs::remove_file(&path) {
            Ok(()) => sync_dir(&self.path).map_err(|e| failed("remove", &path, e)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(failed("remove", &path, e)),
        }
    }

    fn read(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, StateError> {
        let path = self.path.join(name);
        let io = |e| failed("read", &path, e);
        let file = match private(OpenOptions::new().read(true)).open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(io(e)),
        };
        let metadata = file.metadata().map_err(io)?;
        judge(&path, &metadata, 0o600)?;
        if !metadata.is_file() || metadata.len() > MAX_FILE {
            return Err(self.unreadable(name, "it is not a file of ours".to_owned()));
        }
        let mut text = Zeroizing::new(Vec::new());
        io::Read::read_to_end(&mut &file, &mut text).map_err(io)?;
        Ok(Some(text))
    }

    fn parse<T: for<'de> Deserialize<'de>>(
        &self,
        name: &str,
        text: &[u8],
    ) -> Result<T, StateError> {
        // The text may hold keys: an error names the place, not what stands there.
        serde_json::from_slice(text).map_err(|e| {
            let why = format!("line {}, column {}", e.line(), e.column());
            self.unreadable(name, why)
        })
    }

    fn write<T: Serialize>(&self, name: &str, value: &T) -> Result<(), StateError> {
        write_file(&self.path, name, value)
    }

    fn unreadable(&self, name: &str, why: String) -> StateError {
        StateError::Unreadable {
            path: self.path.join(name),
            why,
        }
    }
}

/// The netmap's file.
#[derive(Debug, Clone)]
pub struct NetmapFile(PathBuf);

impl NetmapFile {
    /// Writes the netmap.
    pub fn save(&self, map: &MapResponse) -> Result<(), StateError> {
        write_file(&self.0, NETMAP, map)
    }
}

fn write_file<T: Serialize>(dir: &Path, name: &str, value: &T) -> Result<(), StateError> {
    let (path, temporary) = (dir.join(name), dir.join(format!(".{name}.new")));
    let text = serde_json::to_vec(value).map_err(|e| failed("write", &path, e.into()))?;
    let text = Zeroizing::new(text);
    replace(&path, &temporary, dir, &text).map_err(|e| failed("write", &path, e))
}

/// The new content is on disk before the name points to it, and the name
/// before this returns.
fn replace(path: &Path, temporary: &Path, dir: &Path, text: &[u8]) -> io::Result<()> {
    match fs::remove_file(temporary) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Ok(()) | Err(_) => {}
    }
    let mut file = private(OpenOptions::new().write(true).create_new(true)).open(temporary)?;
    file.write_all(text)?;
    file.sync_all()?;
    fs::rename(temporary, path)?;
    sync_dir(dir)
}

fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// For us alone, and never through a link.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW)
}

fn judge(path: &Path, metadata: &fs::Metadata, wanted: u32) -> Result<(), StateError> {
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(StateError::Loose {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    let us = our_uid().map_err(|e| failed("open", path, e))?;
    if metadata.uid() != us {
        return Err(StateError::Owner {
            path: path.to_owned(),
            owner: metadata.uid(),
            us,
        });
    }
    Ok(())
}

/// The user that this process runs as.
pub fn our_uid() -> io::Result<u32> {
    fs::metadata("/proc/self").map(|m| m.uid())
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> StateError {
    StateError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests;
