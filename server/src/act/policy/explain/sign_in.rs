//! May somebody sign in by SSH?

use policy::explain::{Bar, Case, Spot, SshChain, SshExplanation, SshMissing, Typed};
use wire::api::policy::explain::{self as api, Explained, Step, Verdict};

use super::{Scene, lacking, question, second, summary, within, words};
use crate::error::{Error, Result};

pub(super) fn answer(scene: &Scene<'_>, from: &str, to: &str, login: &str) -> Result<Explained> {
    let named = self::login(login);
    let from = question::end(scene, "/question/from", from);
    let to = question::end(scene, "/question/to", to);
    let ((from, to), login) = question::both(question::both(from, to), named)?;
    Ok(second::answered(scene, (&from, &to), |scene, ends| {
        told(scene, ends, login)
    }))
}

fn told(scene: &Scene<'_>, (from, to): (&Typed, &Typed), login: &str) -> Explained {
    let cases =
        scene
            .explainer
            .explain_sign_ins(scene.law, scene.devices, (&from.spots, &to.spots), login);
    let open = cases.all.iter().filter(|case| is_open(case));
    let open: Vec<Spot> = open.flat_map(|case| case.to.iter().copied()).collect();
    let mut told = summary::told(
        scene,
        &cases,
        |case| tell(scene, case, (from, to), login),
        &[],
        (from, to),
        &format!("sign in to {} as {login}", to.name),
    );
    if told.cases.is_empty() {
        (told.verdict, told.sentence) = nobody(scene, (from, to), login);
    }
    let told = lacking::noted(scene, (Some(from), to), told);
    not_running(scene, &open, told)
}

/// The answer where no two machines are asked about: places behind routers take no part in
/// sign-ins, and a machine needs none to itself.
fn nobody(scene: &Scene<'_>, (from, to): (&Typed, &Typed), login: &str) -> (Verdict, String) {
    let is_outside = |spot: &Spot| {
        let device = scene.devices.get(spot.device);
        device.is_some_and(|device| !spot.is_own(device.facts))
    };
    let cause = if to.spots.iter().any(is_outside) {
        SshMissing::DestinationOutside
    } else if from.spots.iter().any(is_outside) {
        SshMissing::SourceOutside
    } else {
        let machine = within::one_machine(scene, (from, to));
        let sentence = format!("{machine}: a machine signs in to itself without the mesh.");
        return (Verdict::Unasked, sentence);
    };
    let sentence = format!(
        "{} may not sign in to {} as {login}: {cause}.",
        from.name, to.name
    );
    (Verdict::Denied, sentence)
}

/// True when it lets somebody in.
fn is_open(case: &Case<SshExplanation>) -> bool {
    matches!(case.explanation, SshExplanation::Allowed(_))
}

/// Says which of the places do not take sign-ins by `ssh` rules now.
pub(super) fn not_running(scene: &Scene<'_>, places: &[Spot], mut told: Explained) -> Explained {
    let machine = |spot: &Spot| scene.world.machines.get(spot.device);
    let idle = places.iter().filter_map(machine).filter(|m| !m.runs_ssh);
    let idle = words::names(idle.map(|machine| machine.name.clone()));
    let (run, there) = match idle.total {
        0 => return told,
        1 => ("does", "it"),
        _ => ("do", "each of them"),
    };
    told.notes.push(format!(
        "{} {run} not run Tailscale-compatible SSH now: `tailscale set --ssh` on {there} starts it.",
        words::listed(&idle)
    ));
    told
}

/// The login name, if there is one.
pub(super) fn login(text: &str) -> Result<&str> {
    match text.trim() {
        "" => Err(Error::invalid(
            "/question/login",
            "name whom to sign in as: root, ubuntu, …",
        )),
        login if login.contains(':') || login.starts_with("autogroup") || login == "*" => {
            Err(Error::invalid(
                "/question/login",
                format!(
                    "`{login}` stands for several login names; ask about one of them: root, \
                     ubuntu, …"
                ),
            ))
        }
        login => Ok(login),
    }
}

fn tell(
    scene: &Scene<'_>,
    case: &Case<SshExplanation>,
    (from, to): (&Typed, &Typed),
    login: &str,
) -> api::Case {
    let [from_names, to_names] = [&case.from, &case.to].map(|spots| words::spots(scene, spots));
    let (who, place) = (
        words::source(from, &case.from, &from_names),
        words::end(to, &case.to, &to_names),
    );
    let act = format!("sign in to {place} as {login}");
    let (verdict, why, chains, denied) = match &case.explanation {
        SshExplanation::Allowed(chain) => {
            let chains = vec![matched(scene, chain, login)];
            (Verdict::Allowed, None, chains, None)
        }
        SshExplanation::Barred { chain, bars } => {
            let why = format!("{} lets it in, but {}", chain.rule, barred(bars));
            let chains = vec![matched(scene, chain, login)];
            (
                Verdict::Denied,
                Some(why),
                chains,
                bars.first().map(|bar| bar_told(scene, bar)),
            )
        }
        SshExplanation::Denied { cause, nearest } => {
            let near = nearest.iter().map(|near| api::Near {
                rule: scene.words.rule(near.rule),
                missing: near.words(),
            });
            let denial = api::Denial {
                cause: words::word(cause),
                text: cause.to_string(),
                ports: String::new(),
                nearest: near.collect(),
            };
            (
                Verdict::Denied,
                Some(cause.to_string()),
                Vec::new(),
                Some(denial),
            )
        }
    };
    let sentence = match why {
        None => format!("{who} may {act}."),
        Some(why) => format!("{who} may not {act}: {why}."),
    };
    api::Case {
        verdict,
        sentence,
        from: from_names,
        to: to_names,
        pairs: case.pairs,
        chains,
        denied,
    }
}

/// The rule of `ssh` that matches, and why it does.
fn matched(scene: &Scene<'_>, chain: &SshChain, login: &str) -> api::Chain {
    let given = Step {
        text: format!("`users` gives the login name {login}"),
        place: Some(scene.words.place(chain.login)),
    };
    let mut steps = vec![
        scene.words.step(&chain.source),
        scene.words.step(&chain.target),
        given,
    ];
    steps.extend(scene.words.met(chain.posture.as_ref()));
    api::Chain {
        rule: scene.words.rule(chain.rule),
        ports: String::new(),
        steps,
    }
}

/// What stands in the way of a sign-in that a rule matches.
pub(super) fn barred(bars: &[Bar]) -> String {
    let bars: Vec<String> = bars.iter().map(ToString::to_string).collect();
    bars.join("; and ")
}

fn bar_told(scene: &Scene<'_>, bar: &Bar) -> api::Denial {
    let nearest = match bar {
        Bar::Port(denial) => scene.words.denial(denial).nearest,
        Bar::Check => Vec::new(),
    };
    api::Denial {
        cause: words::word(bar),
        text: bar.to_string(),
        ports: String::new(),
        nearest,
    }
}
