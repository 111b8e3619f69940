//! The one grammar of numbers in texts, for every column type that reads them as decimals.
//!
//! `[+-]? (digits [. digits*]? | . digits) ([eE] [+-]? digits)?`, or `NaN`, `Infinity`, `-Infinity` spelled so; no
//! spaces, no underscores, no other words. PostgreSQL reads the same and more.

/// A text that is a number, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberText<'t> {
    /// `whole.fraction` x 10^exponent: ASCII digits as written, at least one in both together.
    Finite {
        negative: bool,
        whole: &'t [u8],
        fraction: &'t [u8],
        exponent: i64,
    },
    Infinity {
        negative: bool,
    },
    NaN,
}

/// Far beyond every limit, far from overflow.
const EXPONENT_LIMIT: i64 = 1 << 40;

impl<'t> NumberText<'t> {
    /// Reads a whole text; `None` when it is no number.
    pub(crate) fn read(text: &'t [u8]) -> Option<Self> {
        match text {
            b"NaN" => return Some(Self::NaN),
            b"Infinity" => return Some(Self::Infinity { negative: false }),
            b"-Infinity" => return Some(Self::Infinity { negative: true }),
            _ => {}
        }
        let (negative, unsigned) = sign(text);
        let (number, exponent) = match memchr::memchr2(b'e', b'E', unsigned) {
            Some(at) => (&unsigned[..at], read_exponent(&unsigned[at + 1..])?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = match memchr::memchr(b'.', number) {
            Some(at) => (&number[..at], &number[at + 1..]),
            None => (number, &[][..]),
        };
        if whole.is_empty() && fraction.is_empty() || !are_digits(whole) || !are_digits(fraction) {
            return None;
        }
        Some(Self::Finite { negative, whole, fraction, exponent })
    }
}

fn sign(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    }
}

fn are_digits(text: &[u8]) -> bool {
    text.iter().all(u8::is_ascii_digit)
}

fn read_exponent(text: &[u8]) -> Option<i64> {
    let (negative, digits) = sign(text);
    if digits.is_empty() || !are_digits(digits) {
        return None;
    }
    let value = digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(EXPONENT_LIMIT));
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_takes_every_form_of_the_grammar() {
        for (text, whole, fraction, exponent) in [
            ("5", "5", "", 0),
            ("5.", "5", "", 0),
            (".5", "", "5", 0),
            ("-1.e5", "1", "", 5),
            ("+.5E-3", "", "5", -3),
            ("007.500e+0000000001", "007", "500", 1),
            ("1e99999999999999999999999", "1", "", EXPONENT_LIMIT),
        ] {
            let negative = text.starts_with('-');
            let (whole, fraction) = (whole.as_bytes(), fraction.as_bytes());
            let expected = NumberText::Finite { negative, whole, fraction, exponent };
            assert_eq!(NumberText::read(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(NumberText::read(b"-Infinity"), Some(NumberText::Infinity { negative: true }));
        assert_eq!(NumberText::read(b"NaN"), Some(NumberText::NaN));
    }

    #[test]
    fn read_refuses_everything_else() {
        for text in [
            "",
            ".",
            "-",
            "e5",
            ".e5",
            "1e",
            "1e+",
            "--1",
            "1.2.3",
            "1e5.0",
            " 5",
            "5 ",
            "1_0",
            "0x5",
            "inf",
            "nan",
            "+Infinity",
            "-NaN",
            "infinity",
            "1,5",
            "\u{0665}",
        ] {
            assert_eq!(NumberText::read(text.as_bytes()), None, "{text:?}");
        }
    }
}
