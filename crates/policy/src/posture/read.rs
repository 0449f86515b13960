//! Text → [`Condition`]: `ATTRIBUTE OPERATOR VALUE`, by hand and in one pass.

use super::{
    Condition, Number, Order, Test, Value,
    attribute::{self, Kind, NAMESPACES},
};
use crate::{
    diagnostic::{Code, Sink, Span},
    source::Text,
};

/// The longest condition, in bytes.
const MAX_BYTES: usize = 4096;
/// The most values of a list.
const MAX_VALUES: usize = 256;

const OPERATORS: [&str; 10] = [
    "==", "!=", "<", "<=", ">", ">=", "IN", "NOT IN", "IS SET", "NOT SET",
];
const SAMPLE: &str = "write an attribute, an operator and a value, as in `node:os == 'macos'`";

/// Reads a condition; `None` after a diagnosis.
pub(crate) fn read(text: &Text, sink: &mut Sink) -> Option<Condition> {
    let condition = Reader::new(text).condition();
    let condition = condition.and_then(|c| check_kinds(&c).map(|()| c));
    match condition {
        Ok(condition) => Some(condition),
        Err(Wrong {
            span,
            message,
            help,
        }) => {
            let span = span.unwrap_or(text.span);
            let near = sink.error(Code::InvalidCondition, span, message);
            match help {
                Help::Say(words) => near.help(words),
                Help::Near(word, known) => near.did_you_mean(&word, known.iter().copied()),
            }
            None
        }
    }
}

struct Wrong {
    span: Option<Span>,
    message: String,
    help: Help,
}

enum Help {
    Say(&'static str),
    Near(String, &'static [&'static str]),
}

impl Wrong {
    fn new(message: impl Into<String>, help: &'static str) -> Self {
        Self {
            span: None,
            message: message.into(),
            help: Help::Say(help),
        }
    }
}

struct Reader<'t> {
    text: &'t Text,
    /// What is not read yet.
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn new(text: &'t Text) -> Self {
        Self {
            text,
            rest: text.text.trim(),
        }
    }

    /// Where a part stands. A string with escapes is longer than what it says:
    /// then it is the whole.
    fn span(&self, part: &str) -> Option<Span> {
        let whole = &self.text.text;
        let is_plain = self.text.span.end.checked_sub(self.text.span.start)? == whole.len() + 2;
        // Parts are slices of the whole.
        let at = (part.as_ptr() as usize).checked_sub(whole.as_ptr() as usize)?;
        let start = self.text.span.start + 1 + at;
        is_plain.then(|| Span::new(start, start + part.len()))
    }

    fn wrong(&self, part: &str, message: impl Into<String>, help: &'static str) -> Wrong {
        Wrong {
            span: self.span(part),
            ..Wrong::new(message, help)
        }
    }

    /// The text as long as it is made of these characters.
    fn take(&mut self, of: impl Fn(char) -> bool) -> &'t str {
        let end = self.rest.find(|c| !of(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at_checked(end).unwrap_or((self.rest, ""));
        self.rest = rest;
        taken
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn condition(mut self) -> Result<Condition, Wrong> {
        if self.text.text.len() > MAX_BYTES {
            return Err(Wrong::new(
                format!("a condition is longer than {MAX_BYTES} bytes"),
                "split it, or name fewer values",
            ));
        }
        if self.rest.is_empty() {
            return Err(Wrong::new("a condition is empty", SAMPLE));
        }
        let attribute = self.attribute()?;
        self.skip_blanks();
        let test = if self.rest.is_empty() {
            Test::Equal(Value::Flag(true))
        } else {
            self.test()?
        };
        self.skip_blanks();
        if !self.rest.is_empty() {
            let message = format!("`{}` is too much at the end of the condition", self.rest);
            let help = "write one condition in each string; all of them must hold";
            return Err(self.wrong(self.rest, message, help));
        }
        Ok(Condition {
            span: self.text.span,
            text: self.text.text.trim().to_owned(),
            attribute: attribute.to_owned(),
            test,
        })
    }

    fn attribute(&mut self) -> Result<&'t str, Wrong> {
        let name = self.take(|c| !c.is_whitespace() && !matches!(c, '=' | '!' | '<' | '>' | '['));
        let is_word =
            |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':');
        let Some((namespace, key)) = name.split_once(':').filter(|_| name.chars().all(is_word))
        else {
            let message = format!("`{name}` is not the name of an attribute");
            let help = "write a namespace and a key, as in `node:os` or `custom:tier`";
            return Err(self.wrong(name, message, help));
        };
        if !NAMESPACES.contains(&namespace) {
            return Err(Wrong {
                span: self.span(name),
                message: format!("`{namespace}` is not a namespace of attributes"),
                help: Help::Near(namespace.to_owned(), &NAMESPACES),
            });
        }
        if key.is_empty() {
            let message = format!("there is no key after `{namespace}:`");
            return Err(self.wrong(name, message, "write one, as in `node:os`"));
        }
        Ok(name)
    }

    fn test(&mut self) -> Result<Test, Wrong> {
        let operator = self.operator()?;
        Ok(match operator {
            "==" => Test::Equal(self.value()?),
            "!=" => Test::Unequal(self.value()?),
            "<" => Test::Order(Order::Less, self.value()?),
            "<=" => Test::Order(Order::AtMost, self.value()?),
            ">" => Test::Order(Order::More, self.value()?),
            ">=" => Test::Order(Order::AtLeast, self.value()?),
            "IN" => Test::In(self.list()?),
            "NOT IN" => Test::NotIn(self.list()?),
            "IS SET" => Test::IsSet,
            _ => Test::NotSet,
        })
    }

    fn operator(&mut self) -> Result<&'static str, Wrong> {
        let start = self.rest;
        let sign = self.take(|c| matches!(c, '=' | '!' | '<' | '>'));
        let mut written = sign.to_owned();
        if sign.is_empty() {
            // Words count in any case: the service's own examples write both.
            let is_letter = |c: char| c.is_alphanumeric() || c == '_';
            written = self.take(is_letter).to_uppercase();
            if matches!(written.as_str(), "NOT" | "IS") {
                self.skip_blanks();
                let second = self.take(is_letter).to_uppercase();
                written = format!("{written} {second}");
            }
        }
        let read = start.strip_suffix(self.rest).unwrap_or(start).trim();
        let known = OPERATORS.iter().find(|o| **o == written);
        known.copied().ok_or_else(|| {
            let read = if read.is_empty() { start } else { read };
            let (word, known): (_, &'static [&'static str]) = match written.as_str() {
                "=" | "===" => (written, &["=="]),
                "=>" | "=<" | "<>" => (written, &[">=", "<=", "!="]),
                "IS NOT" => (written, &["NOT SET"]),
                _ => (written, &OPERATORS),
            };
            Wrong {
                span: self.span(read),
                message: format!("`{read}` is not an operator"),
                help: Help::Near(word, known),
            }
        })
    }

    fn value(&mut self) -> Result<Value, Wrong> {
        self.skip_blanks();
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        if let Some(quote) = quote {
            return self.quoted(quote);
        }
        let word = self.take(|c| !c.is_whitespace() && !matches!(c, ',' | '[' | ']'));
        match word {
            "" if self.rest.is_empty() => Err(Wrong::new("the condition has no value", SAMPLE)),
            "" => {
                let message = "a value is missing, or a list stands where one value belongs";
                Err(self.wrong(self.rest, message, "a list belongs to `IN` and `NOT IN`"))
            }
            "true" => Ok(Value::Flag(true)),
            "false" => Ok(Value::Flag(false)),
            _ => Number::read(word).map(Value::Number).ok_or_else(|| {
                let message = format!("`{word}` is neither a number nor `true` or `false`");
                self.wrong(
                    word,
                    message,
                    "write texts and versions in quotes, as in `'macos'`",
                )
            }),
        }
    }

    fn quoted(&mut self, quote: char) -> Result<Value, Wrong> {
        let start = self.rest;
        let inside = start.strip_prefix(quote).unwrap_or_default();
        let Some((text, rest)) = inside.split_once(quote) else {
            return Err(self.wrong(start, "a text does not end", "close it with its quote"));
        };
        self.rest = rest;
        Ok(Value::Text(text.to_owned()))
    }

    fn list(&mut self) -> Result<Vec<Value>, Wrong> {
        const HELP: &str = "write `['macos', 'linux']`";
        self.skip_blanks();
        let Some(rest) = self.rest.strip_prefix('[') else {
            return Err(self.wrong(self.rest, "`IN` and `NOT IN` need a list", HELP));
        };
        self.rest = rest;
        let mut values = Vec::new();
        loop {
            self.skip_blanks();
            if let Some(rest) = self.rest.strip_prefix(']') {
                self.rest = rest;
                break;
            }
            if self.rest.is_empty() {
                return Err(Wrong::new("a list does not end", HELP));
            }
            values.push(self.value()?);
            if values.len() > MAX_VALUES {
                let message = format!("a list has more than {MAX_VALUES} values");
                return Err(Wrong::new(message, "use several postures"));
            }
            self.skip_blanks();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
            } else if !self.rest.starts_with(']') {
                return Err(self.wrong(self.rest, "a list has no comma between values", HELP));
            }
        }
        if values.is_empty() {
            return Err(Wrong::new("a list has no values", HELP));
        }
        Ok(values)
    }
}

/// An order needs numbers or versions, and an attribute of one kind is never another.
fn check_kinds(condition: &Condition) -> Result<(), Wrong> {
    let name = &condition.attribute;
    let kind = attribute::find(name).map(|k| k.kind);
    if let Test::Order(_, value) = &condition.test {
        let is_ordered = match value {
            Value::Number(_) => true,
            Value::Text(_) => kind == Some(Kind::Version),
            Value::Flag(_) => false,
        };
        if !is_ordered {
            return Err(Wrong::new(
                format!("`<`, `<=`, `>` and `>=` cannot compare `{name}` with {value}"),
                "they are for numbers, `node:osVersion` and `node:tsVersion`",
            ));
        }
    }
    let Some(kind) = kind else {
        return Ok(());
    };
    let Some(value) = condition.values().iter().find(|v| !kind.has(v)) else {
        return Ok(());
    };
    let (is, help) = match kind {
        Kind::Flag => ("`true` or `false`", "write `== true` or `== false`"),
        Kind::OneOf(_) | Kind::Text | Kind::Version => {
            ("a text", "write the value in quotes, as in `'1.80'`")
        }
    };
    let message = format!("`{name}` is {is}, never {}", value.name());
    Err(Wrong::new(message, help))
}
