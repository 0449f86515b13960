//! Builds the console: Rust to WASM, the style sheet by Tailwind's own command,
//! the policy editor by esbuild, each file under a name that holds its digest.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context as _, Result, bail, ensure};
use wasm_bindgen_cli_support::Bindgen;

use crate::{assets::Assets, say};

/// How the console is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Profile {
    /// Quickly, not compressed.
    Dev,
    /// Small and compressed.
    Release,
}

/// Where things are.
struct Places {
    root: PathBuf,
    web: PathBuf,
    target: PathBuf,
    /// Everything in between; safe to delete.
    work: PathBuf,
}

/// Builds `web/dist`.
pub(crate) fn build(profile: Profile) -> Result<()> {
    let places = Places::find()?;
    install_tools(&places)?;
    let wasm = compile(&places, profile)?;
    bind(&places, &wasm, profile)?;
    style_sheet(&places, profile)?;
    scripts(&places, profile)?;
    collect(&places, profile)
}

impl Places {
    fn find() -> Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .context("xtask lies in no workspace")?
            .to_path_buf();
        let target = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| root.join("target"), |dir| root.join(dir));
        let work = target.join("console");
        fs::create_dir_all(&work)?;
        Ok(Self {
            web: root.join("web"),
            root,
            target,
            work,
        })
    }

    fn tool(&self, name: &str) -> Command {
        let mut command = Command::new(self.web.join("node_modules/.bin").join(name));
        command.current_dir(&self.web);
        command
    }
}

/// `npm ci` when the lock is newer than what is installed.
fn install_tools(places: &Places) -> Result<()> {
    let changed = |path: &str| -> Option<SystemTime> {
        fs::metadata(places.web.join(path)).ok()?.modified().ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    say("console: installing the tools of web/package-lock.json");
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(&places.web);
    run(
        npm,
        "npm, which installs the console's tools (Node 20 or newer)",
    )
}

fn compile(places: &Places, profile: Profile) -> Result<PathBuf> {
    say("console: compiling");
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--package", "web", "--bin", "console", "--locked"])
        .args(["--target", "wasm32-unknown-unknown"])
        .current_dir(&places.root);
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => {
            cargo.args(["--profile", "wasm-release"]);
            "wasm-release"
        }
    };
    run(cargo, "cargo")?;
    let built = places.target.join("wasm32-unknown-unknown").join(folder);
    Ok(built.join("console.wasm"))
}

fn bind(places: &Places, wasm: &Path, profile: Profile) -> Result<()> {
    let out = places.work.join("bound");
    if out.exists() {
        fs::remove_dir_all(&out)?;
    }
    Bindgen::new()
        .input_path(wasm)
        .web(true)?
        .typescript(false)
        .keep_debug(profile == Profile::Dev)
        .remove_name_section(profile == Profile::Release)
        .remove_producers_section(true)
        .out_name("console")
        .generate(&out)
        .context("wasm-bindgen could not read the compiled console")
}

fn style_sheet(places: &Places, profile: Profile) -> Result<()> {
    say("console: style sheet");
    let mut tailwind = places.tool("tailwindcss");
    tailwind
        .args(["--input", "style/app.css", "--output"])
        .arg(places.work.join("app.css"));
    if profile == Profile::Release {
        tailwind.arg("--minify");
    }
    run(tailwind, "Tailwind's command")
}

/// The editor's chunk and the program's glue, each one file.
fn scripts(places: &Places, profile: Profile) -> Result<()> {
    say("console: scripts");
    // esbuild looks for packages from the files up, so what it reads lies in web/.
    let staged = places.web.join("node_modules/.console");
    if staged.exists() {
        fs::remove_dir_all(&staged)?;
    }
    fs::create_dir_all(&staged)?;
    for name in ["editor.js", "highlight.js", "boot.js", "theme.js"] {
        fs::copy(places.web.join("js").join(name), staged.join(name))?;
    }
    let bound = places.work.join("bound");
    fs::copy(bound.join("console.js"), staged.join("console.js"))?;
    copy_tree(&bound.join("snippets"), &staged.join("snippets"))?;

    let mut lezer = places.tool("lezer-generator");
    lezer
        .arg("js/hujson.grammar")
        .arg("-o")
        .arg(staged.join("hujson.js"));
    run(lezer, "lezer-generator")?;

    let mut esbuild = places.tool("esbuild");
    esbuild
        .args(["editor.js", "boot.js", "theme.js"].map(|name| staged.join(name)))
        .args([
            "--bundle",
            "--format=esm",
            "--target=es2022",
            "--log-level=warning",
        ])
        .arg(format!("--outdir={}", places.work.join("js").display()));
    if profile == Profile::Release {
        esbuild.arg("--minify");
    }
    run(esbuild, "esbuild")
}

/// Everything under its final name, swapped in as a whole.
fn collect(places: &Places, profile: Profile) -> Result<()> {
    let fresh = places.work.join("dist");
    let mut assets = Assets::new(&fresh)?;
    let work = &places.work;
    for (name, path) in [
        ("console.wasm", work.join("bound/console_bg.wasm")),
        ("console.js", work.join("js/boot.js")),
        ("editor.js", work.join("js/editor.js")),
        ("theme.js", work.join("js/theme.js")),
        ("app.css", work.join("app.css")),
        ("favicon.svg", places.web.join("style/favicon.svg")),
    ] {
        assets.add(name, &path)?;
    }
    assets.write_page("index.html", &places.web.join("index.html"))?;

    if profile == Profile::Release {
        let mut compress = Command::new("node");
        compress.arg(places.web.join("js/compress.mjs")).arg(&fresh);
        run(compress, "node")?;
    }
    // An unchanged console keeps its times, so that the server is not built again.
    let dist = places.web.join("dist");
    if files(&fresh)? != files(&dist)? {
        if dist.exists() {
            fs::remove_dir_all(&dist)?;
        }
        copy_tree(&fresh, &dist)?;
    }
    for line in assets.sizes() {
        say(&line);
    }
    Ok(())
}

/// The files of a folder by their paths in it; none where it is absent.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let here = folder.join(&below);
        if !here.exists() {
            continue;
        }
        for entry in fs::read_dir(here)? {
            let entry = entry?;
            let path = below.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                open.push(path);
            } else {
                found.insert(path, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    if !from.exists() {
        return Ok(());
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn run(mut command: Command, what: &str) -> Result<()> {
    let status = match command.status() {
        Ok(status) => status,
        Err(error) => bail!("cannot run {what}: {error}"),
    };
    ensure!(status.success(), "{what} failed: {status}");
    Ok(())
}
