//! What a change would open and shut, before it is made.

use policy::{
    Document,
    directory::Node,
    impact::{self as engine, Bounds, Side},
};
use wire::{
    TenantId, UserId,
    api::policy::impact::{self as api, Impact, MAX_RETAGS, PreviewImpact},
    name::Tag,
};

use super::{
    super::field,
    explain::{Words, read},
    think::think,
    world::World,
};
use crate::{
    app::App,
    error::{Error, Result},
};

/// What a change of the policy, of tags or of roles would do. `asker` takes a
/// machine that loses its last tag.
pub async fn impact(
    app: &App,
    tenant: TenantId,
    asker: Option<UserId>,
    change: PreviewImpact,
) -> Result<Impact> {
    let rows = app.db.tenant(tenant).await?;
    let before = World::load(&rows, app.clock.now()).await?;
    let after = changed(&before, asker, &change)?;
    let old = rows.policy().await?.document;
    let new = change.document.unwrap_or_else(|| old.clone());
    think(move || {
        let is_same = old == new;
        let before = State::new(&old, before, Whose::InForce)?;
        let after = State::new(
            &new,
            after,
            if is_same {
                Whose::InForce
            } else {
                Whose::Asked
            },
        )?;
        defined(&change.retags, &before.world, &after.document)?;
        Ok(compare(&before, &after))
    })
    .await?
}

/// The tenant once tags and roles are changed.
fn changed(world: &World, asker: Option<UserId>, change: &PreviewImpact) -> Result<World> {
    let mut world = world.clone();
    for (field, count) in [
        ("/retags", change.retags.len()),
        ("/roles", change.roles.len()),
    ] {
        if count > MAX_RETAGS {
            let most = format!("at most {MAX_RETAGS} at once");
            return Err(Error::invalid(field, most));
        }
    }
    for (at, retag) in change.retags.iter().enumerate() {
        let tags = retag.tags.iter().enumerate();
        let tags = tags.map(|(tag, text)| {
            let tag: Tag = field::parse(&format!("/retags/{at}/tags/{tag}"), text)?;
            Ok(tag.as_str().to_owned())
        });
        let mut tags: Vec<String> = tags.collect::<Result<_>>()?;
        tags.sort_unstable();
        tags.dedup();
        let mut machines = world.machines.iter_mut();
        let Some(machine) = machines.find(|machine| machine.id == retag.node) else {
            if world.waiting.contains(&retag.node) {
                continue;
            }
            let said = "no machine has this id";
            return Err(Error::invalid(format!("/retags/{at}/node"), said));
        };
        machine.facts.user = if tags.is_empty() {
            machine.facts.owner().or(asker)
        } else {
            None
        };
        machine.facts.tags = tags;
    }
    for (at, new) in change.roles.iter().enumerate() {
        let mut users = world.directory.users.iter_mut();
        let Some(user) = users.find(|user| user.id == new.user) else {
            let said = "no member has this id";
            return Err(Error::invalid(format!("/roles/{at}/user"), said));
        };
        user.role = new.role;
    }
    Ok(world)
}

/// Refuses a tag that the document does not define, unless the machine has it already.
fn defined(retags: &[api::Retag], world: &World, document: &Document) -> Result<()> {
    let defined: Vec<&str> = document
        .tag_owners
        .iter()
        .map(|t| t.tag.text.as_str())
        .collect();
    for (at, retag) in retags.iter().enumerate() {
        let machine = world
            .machines
            .iter()
            .find(|machine| machine.id == retag.node);
        let held = machine
            .map(|machine| machine.facts.tags.as_slice())
            .unwrap_or_default();
        for (place, tag) in retag.tags.iter().enumerate() {
            if held.contains(tag) || defined.contains(&tag.as_str()) {
                continue;
            }
            let advice = match policy::nearest(tag, &defined) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "add it to `tagOwners` first".to_owned(),
            };
            return Err(Error::invalid(
                format!("/retags/{at}/tags/{place}"),
                format!("the policy defines no `{tag}`: {advice}"),
            ));
        }
    }
    Ok(())
}

/// Whose document it is: the one in force is compared as far as it can be read.
#[derive(Debug, Clone, Copy)]
enum Whose {
    InForce,
    Asked,
}

/// A document and the tenant it is for.
struct State<'a> {
    text: &'a str,
    document: Document,
    world: World,
}

impl<'a> State<'a> {
    fn new(text: &'a str, world: World, whose: Whose) -> Result<Self> {
        let document = match whose {
            Whose::InForce => policy::parse(text).0,
            Whose::Asked => read(text)?,
        };
        Ok(Self {
            text,
            document,
            world,
        })
    }

    fn nodes(&self) -> Vec<Node<'_>> {
        let machines = self.world.machines.iter();
        machines
            .map(|machine| Node {
                id: machine.id,
                name: &machine.name,
                facts: &machine.facts,
            })
            .collect()
    }
}

fn compare(before: &State<'_>, after: &State<'_>) -> Impact {
    let nodes = [before.nodes(), after.nodes()];
    let [old, new] = &nodes;
    let found = engine::impact(
        &Side {
            document: &before.document,
            directory: &before.world.directory,
            nodes: old,
        },
        &Side {
            document: &after.document,
            directory: &after.world.directory,
            nodes: new,
        },
        Bounds::default(),
    );
    let told = |difference: &engine::Difference, text| tell(difference, Words { text });
    Impact {
        gained: told(&found.gained, after.text),
        lost: told(&found.lost, before.text),
        cut_off: cut_off(&found.cut_off),
        absent: found.absent,
        more_absent: found.more_absent,
        machines: u64::try_from(before.world.machines.len()).unwrap_or(u64::MAX),
    }
}

fn tell(difference: &engine::Difference, words: Words<'_>) -> api::Difference {
    let traffic = |what: &Vec<engine::Opening>| listed(what);
    let capabilities = |what: &Vec<engine::Capability>| listed(what);
    api::Difference {
        traffic: changes(&difference.traffic, words, traffic),
        sign_ins: changes(&difference.sign_ins, words, ToString::to_string),
        capabilities: changes(&difference.capabilities, words, capabilities),
    }
}

fn listed<T: ToString>(parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
    parts.join(", ")
}

fn changes<W>(
    all: &engine::Changes<W>,
    words: Words<'_>,
    what: impl Fn(&W) -> String,
) -> api::Changes {
    let change = |change: &engine::Change<W>| api::Change {
        who: ends(&change.who),
        to: ends(&change.to),
        what: what(&change.what),
        is_partial: change.is_partial,
        rule: words.rule(change.rule),
        flows: change.flows,
    };
    api::Changes {
        shown: all.shown.iter().map(change).collect(),
        more: all.more,
        flows: all.flows,
        people: all.people,
        from_machines: all.from_devices,
        to_machines: all.to_devices,
    }
}

fn ends(parties: &engine::Parties) -> api::Ends {
    api::Ends {
        shown: parties.shown.iter().map(ToString::to_string).collect(),
        more: parties.more,
        people: parties.people,
        machines: parties.devices,
        members: parties.members.iter().map(ToString::to_string).collect(),
        more_members: parties.more_members,
    }
}

fn cut_off(losers: &engine::CutOff) -> api::CutOff {
    let names = |parties: &[engine::Party]| parties.iter().map(|p| p.text.clone()).collect();
    api::CutOff {
        people: names(&losers.people),
        more_people: losers.more_people,
        machines: names(&losers.devices),
        more_machines: losers.more_devices,
    }
}
