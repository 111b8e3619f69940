//! A canonical form as PostgreSQL prints the value, in UTC, shortened.

use std::fmt::Write;

use crate::fault::HIDDEN;
use crate::ids::uuid_text;
use crate::time::{
    civil_from_days, DAYS_INFINITY, DAYS_NEGATIVE_INFINITY, EPOCH_GAP_DAYS, MICROS_INFINITY, MICROS_NEGATIVE_INFINITY,
};

use super::form::Form;
use super::number::tag;
use super::side::Column;

/// Characters of the longest text.
pub(super) const CHARACTERS: usize = 200;

const MICROS_A_DAY: i64 = 86_400_000_000;

/// The text of a form that the column made: of an array if the column is one and `element` is false.
pub(super) fn text(column: &Column, form: &[u8], element: bool) -> String {
    if column.sensitive {
        return HIDDEN.to_owned();
    }
    shortened(if column.array && !element { array(&column.form, form) } else { single(&column.form, form) })
}

/// As [`text`], not shortened and never of an array: part of a key.
pub(super) fn key(column: &Column, form: &[u8]) -> String {
    if column.sensitive {
        return HIDDEN.to_owned();
    }
    match column.form {
        Form::Text(_) => String::from_utf8_lossy(form).into_owned(),
        _ => single(&column.form, form),
    }
}

/// At most [`CHARACTERS`] characters.
pub(super) fn shortened(mut text: String) -> String {
    if text.len() <= CHARACTERS {
        return text;
    }
    if let Some((end, _)) = text.char_indices().nth(CHARACTERS) {
        let last = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        text.truncate(last);
        text.push('…');
    }
    text
}

/// Appends an array's element as it is quoted there; `None` is NULL.
pub(super) fn push_element(text: &mut String, element: Option<&str>) {
    let Some(element) = element else {
        return text.push_str("NULL");
    };
    let special = |letter: char| letter.is_ascii_whitespace() || letter == '\u{b}' || "{}\",\\".contains(letter);
    if !element.is_empty() && !element.contains(special) && !element.eq_ignore_ascii_case("NULL") {
        return text.push_str(element);
    }
    text.push('"');
    for letter in element.chars() {
        if letter == '"' || letter == '\\' {
            text.push('\\');
        }
        text.push(letter);
    }
    text.push('"');
}

fn array(of: &Form, form: &[u8]) -> String {
    let words = |bytes: &[u8]| i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    let Some((&depth, rest)) = form.split_first() else { return String::new() };
    let Some((head, mut rest)) = rest.split_at_checked(usize::from(depth) * 8) else { return String::new() };
    let dimensions: Vec<(i64, i64)> =
        head.chunks_exact(8).map(|pair| (words(pair).into(), words(&pair[4..]).into())).collect();
    if dimensions.is_empty() {
        return "{}".to_owned();
    }
    let mut text = String::new();
    if dimensions.iter().any(|(_, lower)| *lower != 1) {
        for (length, lower) in &dimensions {
            let _ = write!(text, "[{lower}:{}]", lower + length - 1);
        }
        text.push('=');
    }
    // How many elements the braces of each level hold, the innermost last.
    let mut sizes: Vec<i64> = dimensions.iter().map(|(length, _)| *length).collect();
    for level in (1..sizes.len()).rev() {
        sizes[level - 1] = sizes[level - 1].saturating_mul(sizes[level]);
    }
    let mut index = 0;
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        if index > 0 {
            text.push(',');
        }
        text.extend(sizes.iter().filter(|size| index % **size == 0).map(|_| '{'));
        let length = u32::from_le_bytes(*length);
        rest = tail;
        if length == u32::MAX {
            push_element(&mut text, None);
        } else if let Some((element, tail)) = tail.split_at_checked(length as usize) {
            rest = tail;
            push_element(&mut text, Some(&single(of, element)));
        }
        index += 1;
        text.extend(sizes.iter().filter(|size| index % **size == 0).map(|_| '}'));
        if text.len() > 4 * CHARACTERS {
            break;
        }
    }
    text
}

/// No more of a long form than is shown.
fn single(of: &Form, form: &[u8]) -> String {
    let four = || form.try_into().unwrap_or([0; 4]);
    let eight = || form.try_into().unwrap_or([0; 8]);
    match of {
        Form::Boolean => (if form == [0] { "f" } else { "t" }).to_owned(),
        Form::Smallint | Form::Integer | Form::Bigint => i64::from_le_bytes(eight()).to_string(),
        Form::Real => {
            let number = f32::from_be_bytes(four());
            float(&format!("{number:e}"), 6)
        }
        Form::Double => {
            let number = f64::from_be_bytes(eight());
            float(&format!("{number:e}"), 15)
        }
        Form::Numeric(_) => numeric(form),
        Form::Text(_) => lossy(form),
        Form::Date => match i32::from_le_bytes(four()) {
            DAYS_INFINITY => "infinity".to_owned(),
            DAYS_NEGATIVE_INFINITY => "-infinity".to_owned(),
            days => instant(days.into(), ""),
        },
        Form::Timestamp(_, zone) => match i64::from_le_bytes(eight()) {
            MICROS_INFINITY => "infinity".to_owned(),
            MICROS_NEGATIVE_INFINITY => "-infinity".to_owned(),
            micros => {
                let of_day = time_of_day(micros.rem_euclid(MICROS_A_DAY), *zone);
                instant(micros.div_euclid(MICROS_A_DAY), &of_day)
            }
        },
        Form::Uuid => {
            let uuid = form.try_into().unwrap_or([0; 16]);
            String::from_utf8_lossy(&uuid_text(uuid)).into_owned()
        }
        Form::Bytea => {
            let mut text = "\\x".to_owned();
            for byte in form.iter().take(CHARACTERS) {
                let _ = write!(text, "{byte:02x}");
            }
            text
        }
        // The mark of a text that nests too deep is not shown.
        Form::Jsonb(_) => lossy(form.strip_prefix(&[0]).unwrap_or(form)),
    }
}

fn lossy(text: &[u8]) -> String {
    // A character has at most four bytes.
    String::from_utf8_lossy(&text[..text.len().min(4 * CHARACTERS + 4)]).into_owned()
}

/// A number of the form `-1.5e7`, laid out as PostgreSQL does: with an exponent below 1e-4 and from 10^`plain` on.
fn float(scientific: &str, plain: i32) -> String {
    let (sign, number) = scientific.strip_prefix('-').map_or(("", scientific), |number| ("-", number));
    let Some((mantissa, exponent)) = number.split_once('e') else {
        return match number {
            "inf" => format!("{sign}Infinity"),
            _ => "NaN".to_owned(),
        };
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || exponent >= plain {
        let direction = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{mantissa}e{direction}{:02}", exponent.abs());
    }
    let digits: String = mantissa.chars().filter(|digit| *digit != '.').collect();
    if exponent < 0 {
        return format!("{sign}0.{}{digits}", "0".repeat((-exponent - 1) as usize));
    }
    let whole = exponent as usize + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    format!("{sign}{}.{}", &digits[..whole], &digits[whole..])
}

fn numeric(form: &[u8]) -> String {
    match form.first() {
        Some(&tag::NAN) => return "NaN".to_owned(),
        Some(&tag::INFINITY) => return "Infinity".to_owned(),
        Some(&tag::NEGATIVE_INFINITY) => return "-Infinity".to_owned(),
        _ => {}
    }
    let [sign, scale_low, scale_high, w0, w1, w2, w3, groups @ ..] = form else {
        return String::new();
    };
    let scale = usize::from(u16::from_le_bytes([*scale_low, *scale_high]));
    let weight = i64::from(i32::from_le_bytes([*w0, *w1, *w2, *w3]));
    let group = |power: i64| {
        let at = usize::try_from(weight - power).ok();
        let pair = at.and_then(|at| groups.chunks_exact(2).nth(at));
        pair.map_or(0, |pair| u16::from_le_bytes([pair[0], pair[1]]))
    };
    let mut text = if *sign == tag::NEGATIVE { "-" } else { "" }.to_owned();
    let first = weight.max(0);
    let _ = write!(text, "{}", group(first));
    // What is longer is shortened anyway.
    for power in (0..first).rev().take(CHARACTERS) {
        let _ = write!(text, "{:04}", group(power));
    }
    if scale > 0 && text.len() <= CHARACTERS {
        let mut fraction = String::new();
        for power in (1..=scale.div_ceil(4)).take(CHARACTERS) {
            let _ = write!(fraction, "{:04}", group(-(power as i64)));
        }
        fraction.truncate(scale);
        text.push('.');
        text.push_str(&fraction);
    }
    text
}

/// A day since 2000-01-01, with what follows it.
fn instant(days: i64, of_day: &str) -> String {
    let (year, month, day) = civil_from_days(days + EPOCH_GAP_DAYS);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    format!("{year:04}-{month:02}-{day:02}{of_day}{era}")
}

fn time_of_day(micros: i64, zone: bool) -> String {
    let seconds = micros / 1_000_000;
    let mut text = format!(" {:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    if micros % 1_000_000 != 0 {
        let _ = write!(text, ".{:06}", micros % 1_000_000);
        text.truncate(text.trim_end_matches('0').len());
    }
    if zone {
        text.push_str("+00");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::json::{Json, Rewrites};

    fn shown(form: &Form, value: &[u8]) -> String {
        let mut out = Vec::new();
        form.write(value, None, &[], &mut Json::default(), &mut out).unwrap();
        shortened(single(form, &out))
    }

    #[test]
    fn values_are_printed_as_the_server_does() {
        let double = |number: f64| shown(&Form::Double, &number.to_be_bytes());
        assert_eq!(double(-0.0), "-0");
        assert_eq!(double(1e14), "100000000000000");
        assert_eq!(double(1e15), "1e+15");
        assert_eq!(double(-1.5e-5), "-1.5e-05");
        assert_eq!(double(0.00012), "0.00012");
        assert_eq!(double(12.25), "12.25");
        assert_eq!((double(f64::NAN), double(f64::NEG_INFINITY)), ("NaN".into(), "-Infinity".into()));
        let real = |number: f32| shown(&Form::Real, &number.to_be_bytes());
        assert_eq!((real(0.1), real(999_999.0), real(1e6)), ("0.1".into(), "999999".into(), "1e+06".into()));
        let stamp = |micros: i64, zone| shown(&Form::Timestamp(6, zone), &micros.to_be_bytes());
        assert_eq!(stamp(0, false), "2000-01-01 00:00:00");
        assert_eq!(stamp(-1, true), "1999-12-31 23:59:59.999999+00");
        assert_eq!(stamp(1_500_000, false), "2000-01-01 00:00:01.5");
        assert_eq!(stamp(i64::MAX, true), "infinity");
        assert_eq!(stamp(-211_813_488_000_000_000, true), "4714-11-24 00:00:00+00 BC");
        assert_eq!(shown(&Form::Date, &(-730_119i32).to_be_bytes()), "0001-01-01");
        assert_eq!(shown(&Form::Date, &(-730_120i32).to_be_bytes()), "0001-12-31 BC");
        assert_eq!(shown(&Form::Date, &i32::MIN.to_be_bytes()), "-infinity");
        assert_eq!(shown(&Form::Bytea, b"\0\xff"), "\\x00ff");
        assert_eq!(shown(&Form::Boolean, &[1]), "t");
        assert_eq!(shown(&Form::Jsonb(Rewrites::default()), b"\x01{\"a\":1e2}"), "{\"a\": 100}");
    }

    #[test]
    fn numerics_are_printed_with_their_scale() {
        for text in ["0", "0.00", "-1.50", "10000", "123456789.000001230", "0.00001", "-100000000", "NaN", "-Infinity"]
        {
            let mut wire = Vec::new();
            crate::numeric::write_text(text.as_bytes(), None, crate::numeric::Rounding::Refuse, &mut wire).unwrap();
            assert_eq!(shown(&Form::Numeric(None), &wire), text);
        }
    }

    #[test]
    fn long_texts_are_shortened_between_characters() {
        let text = "é".repeat(300);
        let short = shown(&Form::Text(None), text.as_bytes());
        assert_eq!(short, format!("{}…", "é".repeat(199)));
        assert_eq!(shown(&Form::Text(None), "é".repeat(200).as_bytes()), "é".repeat(200));
        assert_eq!(shown(&Form::Text(None), b"a\xff"), "a\u{fffd}");
        assert_eq!(shown(&Form::Bytea, &[7; 1_000]).chars().count(), 200);
    }
}
