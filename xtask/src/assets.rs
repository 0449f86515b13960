//! Files under names that hold a digest of their content, and pages that name them.

use std::{
    collections::BTreeMap,
    fs,
    hash::{DefaultHasher, Hasher as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};

/// A folder of files; `add` gives them their names, `write_page` fills them in.
pub(crate) struct Assets {
    folder: PathBuf,
    urls: BTreeMap<String, String>,
}

impl Assets {
    /// An empty folder; what was there is removed.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
        fs::create_dir_all(folder.join("assets"))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            urls: BTreeMap::new(),
        })
    }

    /// Copies `path` as `assets/STEM-DIGEST.EXTENSION`.
    pub(crate) fn add(&mut self, name: &str, path: &Path) -> Result<()> {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let file = file_name(name, &content)?;
        fs::write(self.folder.join("assets").join(&file), content)?;
        self.urls.insert(name.to_owned(), format!("/assets/{file}"));
        Ok(())
    }

    /// Writes a page; `@NAME@` in it becomes the address of that file.
    pub(crate) fn write_page(&self, name: &str, template: &Path) -> Result<()> {
        let mut page = fs::read_to_string(template)
            .with_context(|| format!("cannot read {}", template.display()))?;
        for (asset, url) in &self.urls {
            page = page.replace(&format!("@{asset}@"), url);
        }
        ensure!(
            !page.contains('@'),
            "{} names a file that is not there",
            template.display()
        );
        fs::write(self.folder.join(name), page)?;
        Ok(())
    }

    /// One line for each file: its size, and what travels where it was compressed.
    pub(crate) fn sizes(&self) -> Vec<String> {
        let size = |url: &str, suffix: &str| {
            let path = format!("{}{suffix}", url.trim_start_matches('/'));
            fs::metadata(self.folder.join(path)).map(|m| m.len()).ok()
        };
        self.urls
            .values()
            .map(|url| {
                let raw = size(url, "").unwrap_or_default();
                match size(url, ".br") {
                    Some(br) => format!("{raw:>9} bytes, {br:>7} as brotli  {url}"),
                    None => format!("{raw:>9} bytes  {url}"),
                }
            })
            .collect()
    }
}

fn file_name(name: &str, content: &[u8]) -> Result<String> {
    let (stem, extension) = name.rsplit_once('.').context("a file without extension")?;
    let mut hasher = DefaultHasher::new();
    hasher.write(content);
    Ok(format!("{stem}-{:016x}.{extension}", hasher.finish()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_from_the_content_alone() {
        let one = file_name("app.css", b"a").unwrap();
        assert_eq!(one, file_name("app.css", b"a").unwrap());
        assert_ne!(one, file_name("app.css", b"b").unwrap());
        let digest = one
            .strip_prefix("app-")
            .unwrap()
            .strip_suffix(".css")
            .unwrap();
        assert!(digest.len() == 16 && digest.bytes().all(|b| b.is_ascii_hexdigit()));
        assert!(file_name("none", b"").is_err());
    }
}
