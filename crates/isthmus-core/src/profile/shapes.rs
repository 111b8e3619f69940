//! What texts look like: ids, addresses, dates, numbers, and what makes them hard to carry.
//!
//! Decides by the same grammars that the conversions read, where there is one: a text counted as a date or a number
//! is one that a column with `coerce` takes.

use memchr::{memchr, memchr2};

use crate::ids::{parse_hex_object_id, parse_uuid};
use crate::number_text::NumberText;
use crate::time::parse_timestamp;

/// What a text, or a key, may look like; a text may look like several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Looks(u8);

impl Looks {
    pub(super) const HEX24: Self = Self(1);
    pub(super) const UUID: Self = Self(2);
    pub(super) const DATE: Self = Self(4);
    pub(super) const NUMBER: Self = Self(8);
    pub(super) const NONE: Self = Self(0);
    pub(super) const ALL: Self = Self(15);
    /// In the order in which one of several is told.
    const NAMES: [(Self, &'static str); 4] =
        [(Self::HEX24, "hex24"), (Self::UUID, "uuid"), (Self::NUMBER, "number"), (Self::DATE, "date")];

    #[inline]
    pub(super) fn of(text: &[u8]) -> Self {
        let Some(&first) = text.first() else { return Self::NONE };
        let mut looks = 0;
        if text.len() == 24 && parse_hex_object_id(text).is_some() {
            looks |= Self::HEX24.0;
        }
        if text.len() == 36 && parse_uuid(text).is_some() {
            looks |= Self::UUID.0;
        }
        if matches!(first, b'0'..=b'9' | b'+' | b'-' | b'.') {
            if matches!(NumberText::read(text), Some(NumberText::Finite { .. })) {
                looks |= Self::NUMBER.0;
            }
            if text.get(4) == Some(&b'-') && parse_timestamp(text).is_some() {
                looks |= Self::DATE.0;
            }
        }
        Self(looks)
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn has(self, look: Self) -> bool {
        self.0 & look.0 != 0
    }

    /// The one word for what all keys look like.
    pub(super) fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(look, _)| self.has(*look)).map_or("mixed", |(_, name)| name)
    }
}

/// Whether a text that is a number begins with what a number would lose: `007`, `+49`.
pub(super) fn is_zero_led(number: &[u8]) -> bool {
    let digits = number.strip_prefix(b"-").unwrap_or(number);
    digits.first() == Some(&b'+') || (digits.first() == Some(&b'0') && digits.get(1).is_some_and(u8::is_ascii_digit))
}

/// `name@host.domain` without spaces, at most 254 bytes.
pub(super) fn is_email(text: &[u8]) -> bool {
    if text.len() > 254 {
        return false;
    }
    let Some(at) = memchr(b'@', text) else { return false };
    let (name, host) = (&text[..at], &text[at + 1..]);
    let dotted = memchr(b'.', host).is_some_and(|dot| dot > 0) && host.last() != Some(&b'.');
    !name.is_empty() && dotted && memchr(b'@', host).is_none() && !has_space(text)
}

/// `scheme://…` without spaces, with something behind.
pub(super) fn is_url(text: &[u8]) -> bool {
    let head = &text[..text.len().min(16)];
    let Some(colon) = memchr(b':', head) else { return false };
    let (scheme, rest) = text.split_at(colon);
    let named = scheme.first().is_some_and(u8::is_ascii_alphabetic)
        && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    named && rest.len() > 3 && rest.starts_with(b"://") && !has_space(text)
}

fn has_space(text: &[u8]) -> bool {
    text.iter().any(|byte| *byte <= b' ')
}

/// Begins with `<`, spaces apart, and holds `>`.
pub(super) fn is_html(text: &[u8]) -> bool {
    match text.first() {
        Some(b'<') => {}
        Some(first) if first.is_ascii_whitespace() => {
            if text.trim_ascii_start().first() != Some(&b'<') {
                return false;
            }
        }
        _ => return false,
    }
    memchr(b'>', text).is_some()
}

/// Begins or ends with white space as `normalise: trim` takes it away.
#[inline]
pub(super) fn is_padded(text: &str) -> bool {
    let bytes = text.as_bytes();
    let plain = |byte: Option<&u8>| byte.is_none_or(|byte| (0x21..0x80).contains(byte));
    !(plain(bytes.first()) && plain(bytes.last())) && text.trim().len() != text.len()
}

/// Whether a text holds a NUL, and whether it holds a newline.
#[inline]
pub(super) fn nul_and_newline(text: &[u8]) -> (bool, bool) {
    let Some(first) = memchr2(0, b'\n', text) else { return (false, false) };
    let rest = &text[first..];
    (memchr(0, rest).is_some(), memchr(b'\n', rest).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_of_texts_and_keys() {
        for (text, name) in [
            ("5f1e2d3c4b5a69788796a5b4", "hex24"),
            ("5F1E2D3C4B5A69788796A5B4", "hex24"),
            ("5f1e2d3c4b5a69788796a5bg", "mixed"),
            ("123e4567-e89b-12d3-a456-426614174000", "uuid"),
            ("123e4567e89b12d3a456426614174000", "mixed"),
            ("42", "number"),
            ("-1.50", "number"),
            (".5e3", "number"),
            ("1,5", "mixed"),
            ("NaN", "mixed"),
            ("2024-02-29", "date"),
            ("2023-02-29", "mixed"),
            ("2024-02-29T10:00:00Z", "date"),
            ("2024-02-29T10:00:00", "mixed"),
            ("", "mixed"),
            ("-", "mixed"),
            ("name", "mixed"),
        ] {
            assert_eq!(Looks::of(text.as_bytes()).name(), name, "{text}");
        }
        let digits = Looks::of(b"123456789012345678901234");
        assert!(digits.has(Looks::HEX24) && digits.has(Looks::NUMBER) && !digits.has(Looks::DATE));
        assert_eq!(digits.and(Looks::of(b"7")).name(), "number");
        assert_eq!(Looks::ALL.and(Looks::UUID), Looks::UUID);
    }

    #[test]
    fn numbers_that_would_lose_a_digit() {
        for (text, led) in [("01001", true), ("-007", true), ("+49", true), ("00", true), ("0", false), ("0.5", false)]
        {
            assert_eq!(is_zero_led(text.as_bytes()), led, "{text}");
        }
        assert!(!is_zero_led(b"10") && !is_zero_led(b"-1") && !is_zero_led(b".5"));
    }

    #[test]
    fn addresses() {
        for text in ["a@b.c", "first.last+tag@sub.example.org", "é@ü.de"] {
            assert!(is_email(text.as_bytes()), "{text}");
        }
        for text in ["", "@", "a@b", "@b.c", "a@.c", "a@b.", "a b@c.d", "a@b@c.d", "a@b.c\n"] {
            assert!(!is_email(text.as_bytes()), "{text}");
        }
        assert!(!is_email(format!("{}@b.c", "a".repeat(251)).as_bytes()));
        for text in ["http://a", "https://example.org/x?y#z", "s3+x.y-z://b"] {
            assert!(is_url(text.as_bytes()), "{text}");
        }
        for text in ["", ":", "://", "http://", "//a", "1a://b", "http:/a", "http://a b", "mailto:a", "a scheme://b"] {
            assert!(!is_url(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn markup_padding_and_controls() {
        for (text, html) in [("<p>x</p>", true), (" \n<br>", true), ("a<b>", false), ("<", false), ("", false)] {
            assert_eq!(is_html(text.as_bytes()), html, "{text}");
        }
        for (text, padded) in
            [("", false), ("a", false), (" a", true), ("a\n", true), ("\u{a0}a", true), ("éé", false), ("a b", false)]
        {
            assert_eq!(is_padded(text), padded, "{text}");
        }
        assert_eq!(nul_and_newline(b"ab"), (false, false));
        assert_eq!(nul_and_newline(b"a\nb"), (false, true));
        assert_eq!(nul_and_newline(b"a\0b"), (true, false));
        assert_eq!(nul_and_newline(b"\0a\n"), (true, true));
        assert_eq!(nul_and_newline(b"\na\0"), (true, true));
    }
}
