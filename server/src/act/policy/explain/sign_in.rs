//! May somebody sign in by SSH?

use policy::explain::{Case, SshExplanation, Typed};
use wire::api::policy::explain::{self as api, Explained, Step, Verdict};

use super::{Scene, lacking, question, summary, words};
use crate::error::{Error, Result};

/// Why a rule with a check lets nobody in: no check is carried out.
pub(super) const UNCHECKED: &str = "the rule asks for a check that the person signed in lately, and this server cannot \
     check people yet";

pub(super) fn answer(scene: &Scene<'_>, from: &str, to: &str, login: &str) -> Result<Explained> {
    let named = self::login(login);
    let from = question::end(scene, "/question/from", from);
    let to = question::end(scene, "/question/to", to);
    let ((from, to), login) = question::both(question::both(from, to), named)?;
    let cases = scene
        .explainer
        .explain_sign_ins(scene.devices, (&from.spots, &to.spots), login);
    let told = summary::told(
        scene,
        &cases,
        |case| tell(scene, case, (&from, &to), login),
        &[],
        (&from, &to),
        &format!("sign in to {} as {login}", to.name),
    );
    Ok(lacking::noted(scene, (Some(&from), &to), told))
}

/// The login name, if there is one.
pub(super) fn login(text: &str) -> Result<&str> {
    match text.trim() {
        "" => Err(Error::invalid(
            "/question/login",
            "name whom to sign in as: root, ubuntu, …",
        )),
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
    let (verdict, sentence, chains, denied) = match &case.explanation {
        SshExplanation::Allowed(chain) => {
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
            let told = api::Chain {
                rule: scene.words.rule(chain.rule),
                ports: String::new(),
                steps,
            };
            let (verdict, sentence) = if chain.check {
                (
                    Verdict::Denied,
                    format!("{who} may not {act}: {UNCHECKED}."),
                )
            } else {
                (Verdict::Allowed, format!("{who} may {act}."))
            };
            (verdict, sentence, vec![told], None)
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
            let sentence = format!("{who} may not {act}: {cause}.");
            (Verdict::Denied, sentence, Vec::new(), Some(denial))
        }
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
