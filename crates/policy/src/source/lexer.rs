//! Characters → blanks, comments and scalars.

use super::{Kind, MAX_STRING_BYTES, Stop, Text, Value};
use crate::diagnostic::Span;

pub(super) struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The character that comes next; empty at the end.
    pub(super) fn here(&self) -> Span {
        let width = self.rest().chars().next().map_or(0, char::len_utf8);
        Span::new(self.at, self.at + width)
    }

    /// Steps over one ASCII byte.
    pub(super) fn advance(&mut self) {
        self.at += 1;
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Steps over blanks and comments.
    pub(super) fn skip_blank(&mut self) -> Result<(), Stop> {
        loop {
            let rest = self.rest();
            if let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
                self.at += 1;
            } else if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let body = rest.get(2..).unwrap_or_default();
                let Some(end) = body.find("*/") else {
                    let span = Span::new(self.at, self.at + 2);
                    return Err(Stop::syntax(span, "this comment has no end")
                        .with_help("close it with `*/`"));
                };
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    /// A string, number, `true`, `false` or `null`.
    pub(super) fn scalar(&mut self) -> Result<Value, Stop> {
        let start = self.at;
        let kind = match self.peek() {
            Some(b'"') => Kind::String(self.string()?.text),
            Some(b'-' | b'0'..=b'9') => Kind::Number(self.number()?),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word()?,
            Some(b'\'') => {
                return Err(Stop::syntax(self.here(), "strings stand in double quotes"));
            }
            Some(_) => return Err(Stop::syntax(self.here(), "expected a value")),
            None => {
                return Err(Stop::syntax(
                    self.here(),
                    "the document ends where a value should be",
                ));
            }
        };
        Ok(Value {
            span: Span::new(start, self.at),
            kind,
        })
    }

    fn word(&mut self) -> Result<Kind, Stop> {
        let rest = self.rest();
        let len = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let word = rest.get(..len).unwrap_or_default();
        let kind = match word {
            "null" => Kind::Null,
            "true" => Kind::Bool(true),
            "false" => Kind::Bool(false),
            _ => {
                let span = Span::new(self.at, self.at + len);
                return Err(Stop::syntax(span, "expected a value")
                    .with_help("strings stand in double quotes"));
            }
        };
        self.at += len;
        Ok(kind)
    }

    /// A number by RFC 8259 section 6.
    fn number(&mut self) -> Result<String, Stop> {
        let start = self.at;
        let rest = self.rest();
        let len = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let text = rest.get(..len).unwrap_or_default();
        if !is_number(text) {
            return Err(Stop::syntax(
                Span::new(start, start + len),
                "this is not a number",
            ));
        }
        self.at += len;
        Ok(text.to_owned())
    }

    /// A string; the opening quote comes next.
    pub(super) fn string(&mut self) -> Result<Text, Stop> {
        let start = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            // What needs no look by itself, at once; the bytes of other characters are larger.
            let rest = self.rest();
            let plain = rest
                .bytes()
                .position(|b| matches!(b, b'"' | b'\\' | 0..0x20))
                .unwrap_or(rest.len());
            out.push_str(rest.get(..plain).unwrap_or_default());
            self.at += plain;
            if self.at - start > MAX_STRING_BYTES {
                return Err(Stop::limit(
                    Span::new(start, start + 1),
                    "this string is longer than 64 KiB",
                ));
            }
            let Some(c) = self.rest().chars().next() else {
                return Err(unclosed(start));
            };
            match c {
                '"' => {
                    self.at += 1;
                    return Ok(Text {
                        span: Span::new(start, self.at),
                        text: out,
                    });
                }
                '\\' => out.push(self.escape()?),
                '\n' | '\r' => return Err(unclosed(start)),
                _ => {
                    return Err(Stop::syntax(
                        self.here(),
                        "control characters in strings are written as escapes",
                    ));
                }
            }
        }
    }

    /// One escape; the backslash comes next.
    fn escape(&mut self) -> Result<char, Stop> {
        let start = self.at;
        self.at += 1;
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                return self.unicode(start);
            }
            _ => return Err(bad_escape(start, self.here().end)),
        };
        self.at += 1;
        Ok(c)
    }

    /// The digits of `\uXXXX`, and the second half of a pair when it is one.
    fn unicode(&mut self, start: usize) -> Result<char, Stop> {
        let high = self.hex4(start)?;
        if !(0xd800..0xe000).contains(&high) {
            return char::from_u32(high).ok_or_else(|| bad_escape(start, self.at));
        }
        if high >= 0xdc00 || !self.rest().starts_with("\\u") {
            return Err(bad_escape(start, self.at));
        }
        self.at += 2;
        let low = self.hex4(start)?;
        if !(0xdc00..0xe000).contains(&low) {
            return Err(bad_escape(start, self.at));
        }
        let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        char::from_u32(code).ok_or_else(|| bad_escape(start, self.at))
    }

    fn hex4(&mut self, start: usize) -> Result<u32, Stop> {
        let digits = self.rest().get(..4).unwrap_or_default();
        if digits.len() != 4 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(bad_escape(start, self.at));
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).map_err(|_| bad_escape(start, self.at))
    }
}

fn unclosed(start: usize) -> Stop {
    Stop::syntax(Span::new(start, start + 1), "this string has no end")
        .with_help("close it with a double quote on the same line")
}

fn bad_escape(start: usize, end: usize) -> Stop {
    Stop::syntax(Span::new(start, end), "this escape means nothing")
        .with_help("a backslash is written `\\\\`")
}

fn is_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['+', '-']).unwrap_or(e))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((w, f)) => (w, Some(f)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}
