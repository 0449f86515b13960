//! `docker-compose.yml`, read as the tests need it.

use std::{collections::BTreeMap, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use yaml_rust2::{Yaml, YamlLoader};

/// One service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The image it is, when it is not built here.
    pub image: Option<String>,
    /// The target of our `Dockerfile` that it is built from.
    pub target: Option<String>,
    /// What it runs; empty: what its image says.
    pub command: Vec<String>,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// The names that others find it by, besides its own.
    pub aliases: Vec<String>,
    /// The services that start before it.
    pub depends_on: Vec<String>,
}

/// The services by name.
pub fn services(text: &str) -> Result<BTreeMap<String, Service>> {
    let documents = YamlLoader::load_from_str(text).context("it is not YAML")?;
    ensure!(
        documents.len() == 1,
        "it holds {} documents",
        documents.len()
    );
    let services = documents.first().map(|d| &d["services"]);
    let services = services.and_then(Yaml::as_hash).context("no services")?;
    services
        .iter()
        .map(|(name, service)| {
            let name = name.as_str().context("a service without a name")?;
            let read = read(service).with_context(|| format!("service {name}"))?;
            Ok((name.to_owned(), read))
        })
        .collect()
}

fn read(service: &Yaml) -> Result<Service> {
    let environment = service["environment"].as_hash();
    let environment = environment.into_iter().flatten().map(|(key, value)| {
        let key = key.as_str().context("a variable without a name")?;
        Ok((key.to_owned(), text(value).context("a variable")?))
    });
    Ok(Service {
        image: service["image"].as_str().map(str::to_owned),
        target: service["build"]["target"].as_str().map(str::to_owned),
        command: texts(&service["command"])?,
        environment: environment.collect::<Result<_>>()?,
        aliases: texts(&service["networks"]["default"]["aliases"])?,
        depends_on: match service["depends_on"].as_hash() {
            Some(each) => each.keys().map(text).collect::<Result<_>>()?,
            None => texts(&service["depends_on"])?,
        },
    })
}

fn texts(list: &Yaml) -> Result<Vec<String>> {
    if list.is_badvalue() {
        return Ok(Vec::new());
    }
    let list = list.as_vec().context("not a list")?;
    list.iter().map(text).collect()
}

fn text(value: &Yaml) -> Result<String> {
    match value {
        Yaml::String(text) | Yaml::Real(text) => Ok(text.clone()),
        Yaml::Integer(number) => Ok(number.to_string()),
        Yaml::Boolean(word) => Ok(word.to_string()),
        Yaml::Array(_) | Yaml::Hash(_) | Yaml::Alias(_) | Yaml::Null | Yaml::BadValue => {
            anyhow::bail!("{value:?} is no text")
        }
    }
}

/// A file of the repository's top level.
pub fn file(name: &str) -> Result<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(name);
    std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_compose_file_has_a_database_a_server_and_two_agents() {
        let all = services(&file("docker-compose.yml").unwrap()).unwrap();
        let of = |target: &str| {
            let is_it = |s: &&Service| s.target.as_deref() == Some(target);
            all.values().filter(is_it).collect::<Vec<_>>()
        };
        assert_eq!((of("server").len(), of("agent").len()), (1, 2));
        assert_eq!(all.len(), 4);
        assert!(
            all["postgres"]
                .image
                .as_deref()
                .unwrap()
                .starts_with("postgres:")
        );
        for service in all.values() {
            for first in &service.depends_on {
                assert!(all.contains_key(first), "{first} is no service");
            }
        }
    }

    #[test]
    fn what_the_dockerfile_builds_is_what_the_services_run() {
        let dockerfile = file("Dockerfile").unwrap();
        for (name, service) in services(&file("docker-compose.yml").unwrap()).unwrap() {
            let Some(target) = &service.target else {
                continue;
            };
            let stage = dockerfile
                .split("\nFROM ")
                .find(|stage| {
                    stage
                        .lines()
                        .next()
                        .unwrap()
                        .ends_with(&format!(" AS {target}"))
                })
                .unwrap_or_else(|| panic!("{name}: the Dockerfile has no target {target}"));
            let command = serde_json::to_string(&service.command)
                .unwrap()
                .replace(',', ", ");
            assert!(
                stage.contains(&format!("\nCMD {command}")),
                "{name} runs {command}"
            );
            let program = format!("/usr/bin/{}", service.command[0]);
            assert!(
                stage.contains(&program),
                "{name}: {program} is not in its image"
            );
        }
    }
}
