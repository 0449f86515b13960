//! Where a byte stands in a text that is still being typed.
//!
//! Unlike [`crate::source`] it goes on where the text is broken: it follows
//! brackets, strings and comments and guesses nothing else.

use crate::{
    diagnostic::Span,
    keyword::{
        self,
        form::{Field, Form},
    },
    source::MAX_DEPTH,
};

/// An array or object that is open.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) is_object: bool,
    /// The key whose value is open or expected.
    pub(crate) key: Option<String>,
    /// The keys that it has so far.
    pub(crate) keys: Vec<String>,
    has_value: bool,
}

impl Frame {
    /// True where a key is expected.
    pub(crate) fn expects_key(&self) -> bool {
        self.is_object && self.key.is_none()
    }
}

/// What a scan comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'t> {
    /// A string: where, without its quotes, and what it says there.
    String(Span, &'t str),
    /// Letters, digits and signs outside strings.
    Word(Span, &'t str),
    /// A comment.
    Comment(Span),
}

impl Token<'_> {
    fn span(self) -> Span {
        match self {
            Self::String(span, _) | Self::Word(span, _) | Self::Comment(span) => span,
        }
    }
}

/// Goes through a text.
pub(crate) struct Scan<'t> {
    text: &'t str,
    at: usize,
    /// What is open, outermost first.
    pub(crate) open: Vec<Frame>,
}

impl<'t> Scan<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        Self {
            text,
            at: 0,
            open: Vec::new(),
        }
    }

    fn slice(&self, start: usize, end: usize) -> &'t str {
        self.text.get(start..end).unwrap_or_default()
    }

    /// The next token at or behind which `open` says what is open; `None` at the
    /// end, or from `stop` on.
    pub(crate) fn next(&mut self, stop: usize) -> Option<Token<'t>> {
        while self.at < stop {
            let byte = *self.text.as_bytes().get(self.at)?;
            match byte {
                b'{' | b'[' if self.open.len() < MAX_DEPTH => self.open.push(Frame {
                    is_object: byte == b'{',
                    ..Frame::default()
                }),
                b'}' | b']' => {
                    self.open.pop();
                    self.value_seen();
                }
                b',' => self.comma(),
                b'"' => return Some(self.string()),
                b'/' => {
                    let rest = self.slice(self.at, self.text.len());
                    if rest.starts_with("//") || rest.starts_with("/*") {
                        return Some(self.comment(rest));
                    }
                }
                b' ' | b'\t' | b'\n' | b'\r' | b':' => {}
                _ => {
                    let rest = self.slice(self.at, self.text.len());
                    let c = rest.chars().next()?;
                    if is_word(c) {
                        return Some(self.word(rest));
                    }
                    self.at += c.len_utf8() - 1;
                }
            }
            self.at += 1;
        }
        None
    }

    /// Tells the innermost frame that a string or word stood in it.
    pub(crate) fn take(&mut self, token: Token<'_>) {
        let says = match token {
            Token::String(_, says) => says,
            Token::Word(..) => return self.value_seen(),
            Token::Comment(_) => return,
        };
        match self.open.last_mut() {
            Some(frame) if frame.expects_key() => {
                frame.key = Some(says.to_owned());
                frame.keys.push(says.to_owned());
                frame.has_value = false;
            }
            _ => self.value_seen(),
        }
    }

    fn value_seen(&mut self) {
        if let Some(frame) = self.open.last_mut() {
            frame.has_value = true;
        }
    }

    fn comma(&mut self) {
        if let Some(frame) = self.open.last_mut() {
            frame.key = None;
            frame.has_value = false;
        }
    }

    fn string(&mut self) -> Token<'t> {
        let start = self.at + 1;
        let bytes = self.text.as_bytes().get(start..).unwrap_or_default();
        let mut escaped = false;
        let ends = |b: &u8| {
            let is_end = *b == b'\n' || (*b == b'"' && !escaped);
            escaped = *b == b'\\' && !escaped;
            is_end
        };
        let end = start + bytes.iter().position(ends).unwrap_or(bytes.len());
        let closed = self.text.as_bytes().get(end) == Some(&b'"');
        self.at = end + usize::from(closed);
        Token::String(Span::new(start, end), self.slice(start, end))
    }

    fn word(&mut self, rest: &'t str) -> Token<'t> {
        let length = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let span = Span::new(self.at, self.at + length);
        self.at = span.end;
        Token::Word(span, self.slice(span.start, span.end))
    }

    fn comment(&mut self, rest: &str) -> Token<'t> {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        };
        let span = Span::new(self.at, self.at + length);
        self.at = span.end;
        Token::Comment(span)
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '+' | '.' | '*' | '@')
}

/// Where a byte stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor<'t> {
    /// What is open around it, outermost first.
    pub(crate) open: Vec<Frame>,
    /// The string or word that it stands in or right behind.
    pub(crate) token: Option<Token<'t>>,
}

impl<'t> Cursor<'t> {
    /// Of the byte `at`; `None` in a comment.
    pub(crate) fn at(text: &'t str, at: usize) -> Option<Self> {
        let mut scan = Scan::new(text);
        while let Some(token) = scan.next(at) {
            let span = token.span();
            if at <= span.end && span.start <= at {
                return match token {
                    // A line comment ends with its line, a block is left by its last byte.
                    Token::Comment(_) => None,
                    Token::String(..) | Token::Word(..) => Some(Self {
                        open: scan.with_all_keys(Some(token)),
                        token: Some(token),
                    }),
                };
            }
            scan.take(token);
        }
        Some(Self {
            open: scan.with_all_keys(None),
            token: None,
        })
    }

    /// The form of what is open innermost: of the object or array itself.
    pub(crate) fn form(&self) -> Option<Place> {
        let mut place = Place::Top;
        let (_, inner) = self.open.split_first()?;
        for (frame, _) in self.open.iter().zip(inner) {
            place = place.step(frame)?;
        }
        Some(place)
    }
}

impl Scan<'_> {
    /// What is open here; the innermost also with the keys that still follow.
    fn with_all_keys(mut self, current: Option<Token<'_>>) -> Vec<Frame> {
        let here = self.open.clone();
        let depth = here.len();
        if let Some(token) = current {
            self.take(token);
            if let Some(last) = self.open.last_mut()
                && here.last().is_some_and(Frame::expects_key)
            {
                // The key that is being typed is not one that it has.
                last.keys.pop();
            }
        }
        let mut keys = self.open.last().map(|f| f.keys.clone()).unwrap_or_default();
        while let Some(token) = self.next(usize::MAX) {
            if self.open.len() < depth {
                break;
            }
            self.take(token);
            if self.open.len() == depth
                && let Some(frame) = self.open.last()
            {
                keys.clone_from(&frame.keys);
            }
        }
        let mut here = here;
        if let Some(last) = here.last_mut() {
            last.keys = keys;
        }
        here
    }
}

/// The form of an open object or array.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The document itself.
    Top,
    /// Anything in it.
    In(Form),
}

impl Place {
    /// The form of the value that is open or expected in `frame`, which has this form.
    pub(crate) fn step(self, frame: &Frame) -> Option<Self> {
        match (self, frame.is_object) {
            (Self::Top, true) => {
                let key = keyword::find(frame.key.as_deref()?)?;
                Some(Self::In(key.form))
            }
            (Self::Top, false) => None,
            (Self::In(form), true) => form.inner(Some(frame.key.as_deref()?)).map(Self::In),
            (Self::In(form), false) => form.inner(None).map(Self::In),
        }
    }

    /// The field that describes the key, where the object's keys are fixed.
    pub(crate) fn field(self, key: &str) -> Option<&'static Field> {
        match self {
            Self::Top => None,
            Self::In(form) => form.fields().iter().find(|f| f.name == key),
        }
    }
}
