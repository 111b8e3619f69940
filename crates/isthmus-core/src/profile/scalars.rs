//! What is counted of scalar values, type by type: ranges, lengths, and values that PostgreSQL refuses.

use std::collections::BTreeMap;

use crate::bson::Value;
use crate::decimal::{decimal_digits, Decimal, Shortest};
use crate::json::text::write_integer;
use crate::order::compare;
use crate::time::{day_from_millis, micros_from_millis};

use super::few::write_double_json;
use super::print::{write_count, Object};
use super::shapes::{is_email, is_html, is_padded, is_url, is_zero_led, nul_and_newline, Looks};

/// Lowest and highest of what was met.
pub(super) type Range<T> = Option<(T, T)>;

#[inline]
pub(super) fn widen<T: Copy + Ord>(range: &mut Range<T>, value: T) {
    *range = Some(range.map_or((value, value), |(lowest, highest)| (lowest.min(value), highest.max(value))));
}

pub(super) fn join<T: Copy + Ord>(range: &mut Range<T>, other: Range<T>) {
    if let Some((lowest, highest)) = other {
        widen(range, lowest);
        widen(range, highest);
    }
}

/// Texts that have a property, in the order of [`Strings::NAMES`].
#[derive(Debug, Clone, Copy)]
enum Trait {
    Hex24,
    Uuid,
    Email,
    Url,
    Date,
    Number,
    ZeroLed,
    Empty,
    Padded,
    Nul,
    InvalidUtf8,
    Lines,
    Html,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Strings {
    /// In characters.
    length: Range<u64>,
    bytes_max: u64,
    counts: [u64; Self::NAMES.len()],
}

impl Strings {
    const NAMES: [&'static str; 13] = [
        "hex24",
        "uuid",
        "email",
        "url",
        "date",
        "number",
        "zero_led",
        "empty",
        "padded",
        "nul",
        "invalid_utf8",
        "lines",
        "html",
    ];

    #[inline]
    fn mark(&mut self, property: Trait, holds: bool) {
        self.counts[property as usize] += u64::from(holds);
    }

    /// Counts a text; gives it back when it is UTF-8.
    #[inline]
    pub(super) fn add<'a>(&mut self, text: &'a [u8]) -> Option<&'a str> {
        let valid = std::str::from_utf8(text).ok();
        let characters = match valid {
            Some(valid) => count_characters(valid),
            None => String::from_utf8_lossy(text).chars().count(),
        };
        widen(&mut self.length, characters as u64);
        self.bytes_max = self.bytes_max.max(text.len() as u64);
        if text.is_empty() {
            self.mark(Trait::Empty, true);
            return valid;
        }
        let (nul, newline) = nul_and_newline(text);
        self.mark(Trait::Nul, nul);
        self.mark(Trait::Lines, newline);
        let looks = Looks::of(text);
        if looks != Looks::NONE {
            self.mark(Trait::Hex24, looks.has(Looks::HEX24));
            self.mark(Trait::Uuid, looks.has(Looks::UUID));
            self.mark(Trait::Date, looks.has(Looks::DATE));
            if looks.has(Looks::NUMBER) {
                self.mark(Trait::Number, true);
                self.mark(Trait::ZeroLed, is_zero_led(text));
            }
        }
        match valid {
            Some(valid) => self.mark(Trait::Padded, is_padded(valid)),
            None => self.mark(Trait::InvalidUtf8, true),
        }
        self.mark(Trait::Email, is_email(text));
        self.mark(Trait::Url, is_url(text));
        self.mark(Trait::Html, is_html(text));
        valid
    }

    pub(super) fn nul(&self) -> u64 {
        self.counts[Trait::Nul as usize]
    }

    pub(super) fn invalid_utf8(&self) -> u64 {
        self.counts[Trait::InvalidUtf8 as usize]
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.length, other.length);
        self.bytes_max = self.bytes_max.max(other.bytes_max);
        self.counts.iter_mut().zip(other.counts).for_each(|(count, more)| *count += more);
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("length", self.length, write_count);
        object.count("bytes_max", self.bytes_max);
        Self::NAMES.iter().zip(self.counts).for_each(|(name, count)| object.count(name, count));
        object.close();
    }
}

#[inline]
fn count_characters(text: &str) -> usize {
    // Every byte but the continuation bytes begins a character.
    text.as_bytes().iter().map(|byte| usize::from((*byte as i8) >= -0x40)).sum()
}

/// The digits that a numeric would need behind the point to hold a double as it is printed.
const MAX_FRACTION_DIGITS: u64 = 17;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Total(f64);

impl Eq for Total {}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Total {
    #[inline]
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Doubles {
    /// Of finite ones.
    range: Range<Total>,
    pub(super) nan: u64,
    pub(super) infinite: u64,
    whole: u64,
    fraction_digits: u64,
}

impl Doubles {
    #[inline]
    pub(super) fn add(&mut self, number: f64) {
        const EXACT: f64 = 9_007_199_254_740_992.0;
        if number.is_nan() {
            self.nan += 1;
            return;
        }
        if number.is_infinite() {
            self.infinite += 1;
            return;
        }
        widen(&mut self.range, Total(number));
        if number.trunc() == number {
            self.whole += u64::from(number.abs() <= EXACT);
        } else if self.fraction_digits < MAX_FRACTION_DIGITS {
            self.fraction_digits = self.fraction_digits.max(fraction_digits(number));
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.range, other.range);
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.whole += other.whole;
        self.fraction_digits = self.fraction_digits.max(other.fraction_digits);
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("range", self.range, |number, out| write_double_json(number.0, out));
        object.count("nan", self.nan);
        object.count("infinite", self.infinite);
        object.count("whole", self.whole);
        object.count("fraction_digits", self.fraction_digits);
        object.close();
    }
}

fn fraction_digits(number: f64) -> u64 {
    let shortest = Shortest::of(number);
    let behind = shortest.digits().len() as i64 - i64::from(shortest.point);
    u64::try_from(behind).map_or(0, |behind| behind.min(MAX_FRACTION_DIGITS))
}

#[derive(Debug, Clone, Default)]
pub(super) struct Decimals {
    /// As stored; of equal numbers the one with the lower bytes.
    range: Range<Ordered>,
    digits_before: u64,
    digits_after: u64,
    pub(super) nan: u64,
    pub(super) infinite: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Ordered([u8; 16]);

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        compare(&Value::Decimal128(self.0), &Value::Decimal128(other.0)).then_with(|| self.0.cmp(&other.0))
    }
}

impl Decimals {
    pub(super) fn add(&mut self, bytes: [u8; 16]) {
        match Decimal::decode(bytes) {
            Decimal::NaN => self.nan += 1,
            Decimal::Infinity { .. } => self.infinite += 1,
            Decimal::Finite { coefficient, exponent, .. } => {
                widen(&mut self.range, Ordered(bytes));
                let mut buffer = [0; 39];
                let digits = if coefficient == 0 { 0 } else { decimal_digits(coefficient, &mut buffer).len() as i64 };
                let before = if digits == 0 { 0 } else { digits + i64::from(exponent) };
                self.digits_before = self.digits_before.max(u64::try_from(before).unwrap_or(0));
                self.digits_after = self.digits_after.max(u64::try_from(-i64::from(exponent)).unwrap_or(0));
            }
        }
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.range, other.range);
        self.digits_before = self.digits_before.max(other.digits_before);
        self.digits_after = self.digits_after.max(other.digits_after);
        self.nan += other.nan;
        self.infinite += other.infinite;
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("range", self.range, |number, out| {
            out.push(b'"');
            Decimal::decode(number.0).write_text(out);
            out.push(b'"');
        });
        object.count("digits_before", self.digits_before);
        object.count("digits_after", self.digits_after);
        object.count("nan", self.nan);
        object.count("infinite", self.infinite);
        object.close();
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Dates {
    /// Milliseconds since 1970.
    range: Range<i64>,
    pub(super) out_of_range: u64,
    midnight: u64,
}

impl Dates {
    #[inline]
    pub(super) fn add(&mut self, millis: i64) {
        widen(&mut self.range, millis);
        self.out_of_range += u64::from(micros_from_millis(millis).is_none());
        self.midnight += u64::from(day_from_millis(millis).is_some_and(|day| !day.floored));
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.range, other.range);
        self.out_of_range += other.out_of_range;
        self.midnight += other.midnight;
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("range", self.range, write_integer);
        object.count("out_of_range", self.out_of_range);
        object.count("midnight", self.midnight);
        object.close();
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Binaries {
    length: Range<u64>,
    subtypes: BTreeMap<u8, u64>,
}

impl Binaries {
    pub(super) fn add(&mut self, subtype: u8, bytes: &[u8]) {
        widen(&mut self.length, bytes.len() as u64);
        *self.subtypes.entry(subtype).or_default() += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        join(&mut self.length, other.length);
        for (subtype, count) in &other.subtypes {
            *self.subtypes.entry(*subtype).or_default() += count;
        }
    }

    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let mut object = Object::open(out);
        object.range("length", self.length, write_count);
        let mut subtypes = Object::open(object.member("subtypes"));
        for (subtype, count) in &self.subtypes {
            subtypes.count(&subtype.to_string(), *count);
        }
        subtypes.close();
        object.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8(out).unwrap()
    }

    /// Counts the first half in one and the rest in another, merges, and prints.
    fn merged<T: Default, V: Copy>(
        values: &[V],
        add: impl Fn(&mut T, V),
        merge: impl Fn(&mut T, &T),
        write: impl Fn(&T, &mut Vec<u8>),
    ) -> String {
        let mut texts = Vec::new();
        for cut in [0, values.len() / 2, values.len()] {
            let (mut first, mut second) = (T::default(), T::default());
            values[..cut].iter().for_each(|value| add(&mut first, *value));
            values[cut..].iter().for_each(|value| add(&mut second, *value));
            merge(&mut first, &second);
            texts.push(printed(|out| write(&first, out)));
        }
        assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
        texts.swap_remove(0)
    }

    #[test]
    fn strings_are_counted_by_what_they_look_like() {
        let texts: [&[u8]; 9] = [
            b"",
            "Zürich".as_bytes(),
            b" a\n",
            b"a\0b",
            b"\xff\xfeabc",
            b"5f1e2d3c4b5a69788796a5b4",
            b"2024-01-01",
            b"12.5",
            b"<p>a@b.c</p>",
        ];
        let add = |strings: &mut Strings, text: &[u8]| {
            assert_eq!(strings.add(text), std::str::from_utf8(text).ok());
        };
        assert_eq!(
            merged(&texts, add, Strings::merge, Strings::write),
            "{\"length\":[0,24],\"bytes_max\":24,\"hex24\":1,\"email\":1,\"date\":1,\"number\":1,\"empty\":1,\
             \"padded\":1,\"nul\":1,\"invalid_utf8\":1,\"lines\":1,\"html\":1}"
        );
        let mut one = Strings::default();
        one.add("Zürich".as_bytes());
        assert_eq!(printed(|out| one.write(out)), "{\"length\":[6,6],\"bytes_max\":7}");
    }

    #[test]
    fn doubles_have_digits_and_specials() {
        let numbers = [1.5, -0.001, 5.0, 1e300, -0.0, f64::NAN, 9_007_199_254_740_994.0];
        assert_eq!(
            merged(&numbers, Doubles::add, Doubles::merge, Doubles::write),
            "{\"range\":[-0.001,1e+300],\"nan\":1,\"whole\":2,\"fraction_digits\":3}"
        );
        let infinite = [f64::INFINITY, 0.1 + 0.2, 1e-300];
        assert_eq!(
            merged(&infinite, Doubles::add, Doubles::merge, Doubles::write),
            "{\"range\":[1e-300,0.30000000000000004],\"infinite\":1,\"fraction_digits\":17}"
        );
        for (number, digits) in [(0.5, 1), (123.25, 2), (1e-7, 7), (1.25e-5, 7), (0.1 + 0.2, 17), (1e-20, 17)] {
            assert_eq!(fraction_digits(number), digits, "{number}");
        }
    }

    #[test]
    fn decimals_have_digits_on_both_sides() {
        let decimal = |coefficient: u128, exponent: i32| ((exponent + 6176) as u128) << 113 | coefficient;
        let numbers = [decimal(1230, -2), decimal(123, -1), decimal(5, 3), decimal(0, -4), 0x7C << 120, 0x78 << 120];
        let add = |decimals: &mut Decimals, bits: u128| decimals.add(bits.to_le_bytes());
        assert_eq!(
            merged(&numbers, add, Decimals::merge, Decimals::write),
            "{\"range\":[\"0.0000\",\"5E+3\"],\"digits_before\":4,\"digits_after\":4,\"nan\":1,\"infinite\":1}"
        );
        let equal = [decimal(10, -1), decimal(1, 0), decimal(100, -2)];
        let text = merged(&equal, add, Decimals::merge, Decimals::write);
        let turned = merged(&[equal[2], equal[1], equal[0]], add, Decimals::merge, Decimals::write);
        assert_eq!(text, turned);
    }

    #[test]
    fn dates_and_binaries() {
        let dates = [0, 86_400_000, -1, i64::MAX];
        assert_eq!(
            merged(&dates, Dates::add, Dates::merge, Dates::write),
            "{\"range\":[-1,9223372036854775807],\"out_of_range\":1,\"midnight\":2}"
        );
        let binaries: [(u8, &[u8]); 3] = [(4, b"abc"), (0, b""), (4, b"x")];
        let add = |all: &mut Binaries, (subtype, bytes): (u8, &[u8])| all.add(subtype, bytes);
        assert_eq!(
            merged(&binaries, add, Binaries::merge, Binaries::write),
            "{\"length\":[0,3],\"subtypes\":{\"0\":1,\"4\":2}}"
        );
    }
}
