//! JSON with comments and trailing commas (HuJSON) → values with byte spans.
//!
//! The reader keeps its own stack, so hostile nesting costs no call stack, and
//! it stops at the first thing it cannot read.

mod lexer;

use crate::diagnostic::{Code, Diagnostic, Severity, Span};
use lexer::Lexer;

/// The longest document, in bytes.
pub const MAX_BYTES: usize = 1 << 20;
/// The deepest nesting of arrays and objects.
pub const MAX_DEPTH: usize = 64;
/// The most values and keys in a document.
pub const MAX_TOKENS: usize = 200_000;
/// The longest string, in bytes of the document.
pub const MAX_STRING_BYTES: usize = 64 << 10;

/// A string of the document, unescaped, and where it stands (quotes included).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text {
    /// Where.
    pub span: Span,
    /// What it says.
    pub text: String,
}

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Where.
    pub span: Span,
    /// What it is.
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A string, unescaped.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object, members in the order written.
    Object(Vec<Member>),
}

impl Kind {
    /// The word for it in messages.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The key.
    pub key: Text,
    /// The value.
    pub value: Value,
}

/// Why reading stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) code: Code,
    pub(crate) span: Span,
    pub(crate) message: String,
    pub(crate) help: Option<&'static str>,
}

impl Stop {
    pub(crate) fn syntax(span: Span, message: impl Into<String>) -> Self {
        Self {
            code: Code::Syntax,
            span,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn limit(span: Span, message: impl Into<String>) -> Self {
        Self {
            code: Code::Limit,
            span,
            message: message.into(),
            help: None,
        }
    }

    pub(crate) fn with_help(mut self, help: &'static str) -> Self {
        self.help = Some(help);
        self
    }
}

impl From<Stop> for Diagnostic {
    fn from(stop: Stop) -> Self {
        Self {
            severity: Severity::Error,
            code: stop.code,
            span: stop.span,
            message: stop.message,
            help: stop.help.map(str::to_owned),
        }
    }
}

/// Reads a whole document; the error is the first thing that could not be read.
pub fn read(text: &str) -> Result<Value, Diagnostic> {
    if text.len() > MAX_BYTES {
        let span = Span::new(0, 0);
        return Err(Stop::limit(span, "the document is larger than 1 MiB").into());
    }
    Reader {
        lexer: Lexer::new(text),
        stack: Vec::new(),
        tokens: 0,
    }
    .document()
    .map_err(Diagnostic::from)
}

/// One past the last byte of the value, or of the member of an object, that the
/// text starts with; what follows is not looked at.
pub(crate) fn first_entry(text: &str, is_member: bool) -> Result<usize, Diagnostic> {
    let mut reader = Reader {
        lexer: Lexer::new(text),
        stack: Vec::new(),
        tokens: 0,
    };
    if is_member {
        reader.member_key()?;
    }
    loop {
        if let Some(value) = reader.value_or_open()?
            && let Some(root) = reader.place(value)?
        {
            return Ok(root.span.end);
        }
    }
}

/// An array or object that is not closed yet.
enum Open {
    Array {
        start: usize,
        items: Vec<Value>,
    },
    Object {
        start: usize,
        members: Vec<Member>,
        key: Option<Text>,
    },
}

struct Reader<'a> {
    lexer: Lexer<'a>,
    stack: Vec<Open>,
    tokens: usize,
}

impl Reader<'_> {
    fn document(mut self) -> Result<Value, Stop> {
        loop {
            let Some(value) = self.value_or_open()? else {
                continue;
            };
            if let Some(root) = self.place(value)? {
                self.lexer.skip_blank()?;
                return match self.lexer.peek() {
                    None => Ok(root),
                    Some(_) => Err(Stop::syntax(
                        self.lexer.here(),
                        "there is something after the end of the document",
                    )),
                };
            }
        }
    }

    /// The next complete value; `None` after an opening bracket.
    fn value_or_open(&mut self) -> Result<Option<Value>, Stop> {
        self.lexer.skip_blank()?;
        if let Some(closed) = self.close_if_due() {
            return Ok(Some(closed));
        }
        self.count()?;
        if let Some(Open::Object { key: None, .. }) = self.stack.last() {
            self.member_key()?;
            return Ok(None);
        }
        let start = self.lexer.position();
        match self.lexer.peek() {
            Some(b'[') => self.open(Open::Array {
                start,
                items: Vec::new(),
            }),
            Some(b'{') => self.open(Open::Object {
                start,
                members: Vec::new(),
                key: None,
            }),
            _ => self.lexer.scalar().map(Some),
        }
    }

    fn open(&mut self, open: Open) -> Result<Option<Value>, Stop> {
        let here = self.lexer.here();
        if self.stack.len() >= MAX_DEPTH {
            return Err(Stop::limit(here, format!("nested deeper than {MAX_DEPTH}")));
        }
        self.lexer.advance();
        self.stack.push(open);
        Ok(None)
    }

    fn count(&mut self) -> Result<(), Stop> {
        self.tokens += 1;
        if self.tokens > MAX_TOKENS {
            return Err(Stop::limit(
                self.lexer.here(),
                format!("more than {MAX_TOKENS} values"),
            ));
        }
        Ok(())
    }

    /// Closes the innermost array or object when its bracket comes next.
    fn close_if_due(&mut self) -> Option<Value> {
        let due = match (self.stack.last()?, self.lexer.peek()?) {
            (Open::Array { .. }, b']') => true,
            (Open::Object { key, .. }, b'}') => key.is_none(),
            _ => false,
        };
        if !due {
            return None;
        }
        self.lexer.advance();
        let end = self.lexer.position();
        self.stack.pop().map(|open| match open {
            Open::Array { start, items } => Value {
                span: Span::new(start, end),
                kind: Kind::Array(items),
            },
            Open::Object { start, members, .. } => Value {
                span: Span::new(start, end),
                kind: Kind::Object(members),
            },
        })
    }

    fn member_key(&mut self) -> Result<(), Stop> {
        if self.lexer.peek() != Some(b'"') {
            return Err(
                Stop::syntax(self.lexer.here(), "expected a key in double quotes or `}`")
                    .with_help("keys are strings: `\"groups\": …`"),
            );
        }
        let read = self.lexer.string()?;
        self.lexer.skip_blank()?;
        if self.lexer.peek() != Some(b':') {
            return Err(Stop::syntax(
                read.span,
                format!("expected `:` after the key `{}`", read.text),
            ));
        }
        self.lexer.advance();
        if let Some(Open::Object { key, .. }) = self.stack.last_mut() {
            *key = Some(read);
        }
        Ok(())
    }

    /// Puts a value where it belongs and reads what separates it from the next;
    /// the root comes back.
    fn place(&mut self, value: Value) -> Result<Option<Value>, Stop> {
        let closing = match self.stack.last_mut() {
            None => return Ok(Some(value)),
            Some(Open::Array { items, .. }) => {
                items.push(value);
                b']'
            }
            Some(Open::Object { members, key, .. }) => {
                if let Some(key) = key.take() {
                    members.push(Member { key, value });
                }
                b'}'
            }
        };
        self.lexer.skip_blank()?;
        match self.lexer.peek() {
            Some(b',') => self.lexer.advance(),
            Some(b) if b == closing => {}
            Some(_) => {
                return Err(Stop::syntax(
                    self.lexer.here(),
                    format!("expected `,` or `{}`", char::from(closing)),
                )
                .with_help("values are separated by commas"));
            }
            None => {
                return Err(Stop::syntax(
                    self.lexer.here(),
                    format!("the document ends before its `{}`", char::from(closing)),
                ));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
