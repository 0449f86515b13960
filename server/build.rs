//! The console is embedded from `web/dist`. A build without it still works and
//! serves a page that says how to get it.

use std::{fs, path::Path};

const PLACEHOLDER: &str = "<!doctype html><meta charset=\"utf-8\"><title>Warren</title>\
<h1>The console is not built</h1>\
<p>This server was built without its console. Run <code>cargo xtask web</code>, or start it \
with <code>make run</code>, which does so.</p>\n";

fn main() {
    let dist = Path::new("../web/dist");
    println!("cargo:rerun-if-changed=../web/dist");
    if dist.join("index.html").exists() {
        return;
    }
    println!("cargo:warning=web/dist is absent: the console is a placeholder page");
    let made =
        fs::create_dir_all(dist).and_then(|()| fs::write(dist.join("index.html"), PLACEHOLDER));
    if let Err(error) = made {
        println!("cargo:warning=cannot write the placeholder: {error}");
    }
}
