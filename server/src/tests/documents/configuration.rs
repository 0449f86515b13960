//! `docs/configuration.md`, from the doc comments of the configuration's types.

use std::fmt::Write as _;

use super::hold;

const ROOT: &str = include_str!("../../config.rs");
const SECTIONS: &str = include_str!("../../config/section.rs");

const HEAD: &str = "\
# Configuration of `warren-server`

<!-- Written by the code: server/src/config.rs and its sections. Renew with `make accept`. -->

One TOML file and the environment; the environment wins. The file is the one named by
`--config` or `WARREN_CONFIG`, else `/etc/warren/server.toml` where that exists. Every key
has a variable: `WARREN_`, then the key in capitals, sections joined by two underscores;
lists are written as in TOML (`[\"a\", \"b\"]`). All problems are listed at once;
`warren-server doctor` holds the configuration against reality.

What a tenant's administrators set (approval, key expiry, ephemeral removal) is not here: it
lies in the database, with its history.

Certificate files are read again when they change; everything else when the server starts.
";

#[derive(Debug, Default)]
struct Field {
    name: String,
    kind: String,
    says: String,
}

#[derive(Debug, Default)]
struct Struct {
    name: String,
    says: String,
    fields: Vec<Field>,
}

/// The `pub struct`s of a file, with their documented fields.
fn structs(source: &str) -> Vec<Struct> {
    let mut out: Vec<Struct> = Vec::new();
    let (mut docs, mut inside) = (Vec::new(), false);
    for line in source.lines().map(str::trim) {
        if let Some(text) = line.strip_prefix("///") {
            docs.push(text.trim().to_owned());
        } else if let Some(rest) = line.strip_prefix("pub struct ") {
            inside = true;
            out.push(Struct {
                name: rest.trim_end_matches(" {").to_owned(),
                says: std::mem::take(&mut docs).join(" "),
                fields: Vec::new(),
            });
        } else if let (true, Some(rest)) = (inside, line.strip_prefix("pub ")) {
            let (name, kind) = rest.trim_end_matches(',').split_once(": ").unwrap();
            let says = std::mem::take(&mut docs).join(" ");
            let (name, kind) = (name.to_owned(), kind.to_owned());
            out.last_mut()
                .unwrap()
                .fields
                .push(Field { name, kind, says });
        } else if line == "}" {
            inside = false;
        } else if !line.starts_with("#[") {
            docs.clear();
        }
    }
    out
}

/// A Rust type in the words of TOML.
fn kind(rust: &str) -> String {
    let bare = rust
        .strip_prefix("Option<")
        .and_then(|k| k.strip_suffix('>'))
        .unwrap_or(rust);
    match bare {
        "PathBuf" => "path",
        "SocketAddr" => "address:port",
        "String" => "text",
        "bool" => "true or false",
        "usize" => "number",
        "[u16; 2]" => "list of two numbers",
        "Vec<Prefix>" => "list of prefixes",
        "Vec<String>" => "list of texts",
        "LogFormat" => "`text` or `json`",
        other => panic!("how would people write a `{other}`?"),
    }
    .to_owned()
}

fn key(out: &mut String, section: Option<&str>, field: &Field) {
    assert!(!field.says.is_empty(), "{} is not documented", field.name);
    let (full, variable) = match section {
        None => (field.name.clone(), field.name.to_uppercase()),
        Some(section) => (
            format!("{section}.{}", field.name),
            format!("{}__{}", section, field.name).to_uppercase(),
        ),
    };
    write!(
        out,
        "\n### `{full}`\n\n{}\n\n{}, `WARREN_{variable}`\n",
        field.says,
        kind(&field.kind)
    )
    .unwrap();
}

#[test]
fn the_configuration_is_documented_key_by_key() {
    let root = structs(ROOT).into_iter().next().unwrap();
    let sections = structs(SECTIONS);
    let mut out = HEAD.to_owned();
    for field in &root.fields {
        let Some(section) = sections.iter().find(|s| s.name == field.kind) else {
            out.push_str("\n## Top level\n");
            key(&mut out, None, field);
            continue;
        };
        let intro = section.says.split_once("`.").map(|(_, rest)| rest.trim());
        write!(out, "\n## `[{}]`\n\n{}", field.name, field.says).unwrap();
        if let Some(intro) = intro.filter(|i| !i.is_empty()) {
            write!(out, " {intro}").unwrap();
        }
        out.push('\n');
        for inner in &section.fields {
            key(&mut out, Some(&field.name), inner);
        }
    }
    hold("configuration.md", &out);
}
