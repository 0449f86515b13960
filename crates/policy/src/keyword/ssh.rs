//! `ssh`: who may sign in to which node, and as whom.

mod login;
mod place;

use super::{
    Keyword, Support, fields, forms,
    parts::{list, trimmed},
    rule::posture_names,
};
use crate::{
    diagnostic::{Code, Sink, Span},
    document::{
        Document,
        ssh::{CheckPeriod, SshAction, SshRule},
    },
    duration::{self, Signed},
    shape,
    source::{Text, Value},
};

pub(super) const KEYWORD: Keyword = Keyword {
    name: "ssh",
    summary: "Who may sign in to which node by SSH, and as whom.",
    example: r#"[{ "action": "accept", "src": ["autogroup:member"], "dst": ["autogroup:self"], "users": ["autogroup:nonroot"] }]"#,
    form: forms::SSH,
    support: Support::Read(read),
};

/// The most rules.
const MAX_RULES: usize = 5_000;
/// The longest time that a sign-in counts: a week.
const MAX_PERIOD_HOURS: u64 = 168;

fn read(value: &Value, document: &mut Document, sink: &mut Sink) {
    let Some(items) = shape::items(value, "`ssh`", sink) else {
        return;
    };
    if !shape::within(items.len(), MAX_RULES, "SSH rules", value.span, sink) {
        return;
    }
    let rules = items.iter().enumerate();
    document
        .ssh
        .extend(rules.filter_map(|(index, item)| rule(index, item, sink)));
}

/// One rule; left out as a whole when a part that narrows it cannot be read.
fn rule(index: usize, value: &Value, sink: &mut Sink) -> Option<SshRule> {
    let fields = fields::read(value, "an SSH rule", forms::SSH, sink)?;
    let find = |name: &str| fields.get(name);
    let action = action(find("action"), find("checkPeriod"), value, sink);
    let sources = list(find("src"), "`src`", sink)
        .iter()
        .filter_map(|text| place::source(text, sink))
        .collect();
    let destinations = list(find("dst"), "`dst`", sink)
        .iter()
        .filter_map(|text| place::destination(text, sink))
        .collect();
    let logins = login::read(find("users"), value.span, sink);
    let recorders = list(find("recorder"), "`recorder`", sink)
        .iter()
        .filter_map(|text| place::recorder(text, sink))
        .collect();
    let enforced = find("enforceRecorder").map(|v| shape::boolean(v, "`enforceRecorder`", sink));
    let postures = match find("srcPosture") {
        Some(value) => posture_names(value, "`srcPosture`", sink),
        None => Some(Vec::new()),
    };
    let accept_env = accept_env(find("acceptEnv"), sink);
    if !fields.sound || enforced == Some(None) {
        return None;
    }
    let rule = SshRule {
        index,
        span: value.span,
        action: action?,
        sources,
        destinations,
        logins: logins?,
        accept_env,
        recorders,
        enforce_recorder: enforced.flatten().unwrap_or(false),
        postures: postures?,
    };
    place::check_pairs(&rule, sink).then_some(rule)
}

fn action(
    action: Option<&Value>,
    period: Option<&Value>,
    rule: &Value,
    sink: &mut Sink,
) -> Option<SshAction> {
    let text = match action {
        Some(v) => trimmed(&shape::text(v, "`action`", sink)?),
        None => Text {
            span: rule.span,
            text: String::new(),
        },
    };
    match text.text.as_str() {
        "accept" => {
            let alone = period.is_none();
            if let Some(period) = period {
                sink.error(
                    Code::InvalidAction,
                    period.span,
                    "checkPeriod is only valid with action \"check\"",
                )
                .help("write `\"action\": \"check\"`, or take it out");
            }
            alone.then_some(SshAction::Accept)
        }
        "check" => Some(SshAction::Check(check_period(period, sink)?)),
        "" => {
            sink.error(Code::MissingKey, text.span, "action must be specified")
                .help("write `\"action\": \"accept\"` or `\"action\": \"check\"`");
            None
        }
        other => {
            sink.error(
                Code::InvalidAction,
                text.span,
                format!("\"{other}\" is not a valid action"),
            )
            .did_you_mean(other, ["accept", "check"].into_iter());
            None
        }
    }
}

fn check_period(value: Option<&Value>, sink: &mut Sink) -> Option<CheckPeriod> {
    let Some(value) = value else {
        return Some(CheckPeriod::DEFAULT);
    };
    let text = trimmed(&shape::text(value, "`checkPeriod`", sink)?);
    if text.text == "always" {
        return Some(CheckPeriod::Always);
    }
    let why = match duration::parse(&text.text) {
        Ok(read) => match off_limits(read) {
            None => return Some(CheckPeriod::For(read.duration)),
            Some(why) => format!("checkPeriod {} {why}", duration::show(read)),
        },
        Err(why) => why,
    };
    sink.error(Code::InvalidDuration, text.span, why)
        .help("write a time such as `12h` or `90m`, or `always`");
    None
}

fn off_limits(period: Signed) -> Option<String> {
    if period.negative {
        return Some("must be a positive duration".to_owned());
    }
    let least = std::time::Duration::from_mins(1);
    if period.duration < least && !period.duration.is_zero() {
        return Some("is below the min (1m)".to_owned());
    }
    let max = std::time::Duration::from_hours(MAX_PERIOD_HOURS);
    (period.duration > max).then(|| format!("is above the max ({MAX_PERIOD_HOURS}h)"))
}

fn accept_env(value: Option<&Value>, sink: &mut Sink) -> Vec<Text> {
    let mut names = list(value, "`acceptEnv`", sink);
    names.retain(|name| {
        if name.text.is_empty() {
            empty_env(name.span, sink);
        }
        !name.text.is_empty()
    });
    names
}

fn empty_env(span: Span, sink: &mut Sink) {
    sink.error(Code::InvalidName, span, "acceptEnv values cannot be empty")
        .help("write the name of a variable; `*` and `?` stand for others");
}
