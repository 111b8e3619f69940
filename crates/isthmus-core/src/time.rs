//! Instants and days: MongoDB's milliseconds, PostgreSQL's microseconds and days, ISO 8601 text.
//!
//! PostgreSQL counts from 2000-01-01 UTC; its ranges are those of `src/include/datatype/timestamp.h`.

/// Microseconds from 1970-01-01 to 2000-01-01.
pub const EPOCH_GAP_MICROS: i64 = 946_684_800_000_000;
/// `infinity` of timestamp and timestamptz.
pub const MICROS_INFINITY: i64 = i64::MAX;
/// `-infinity` of timestamp and timestamptz.
pub const MICROS_NEGATIVE_INFINITY: i64 = i64::MIN;
/// `infinity` of date.
pub const DAYS_INFINITY: i32 = i32::MAX;
/// `-infinity` of date.
pub const DAYS_NEGATIVE_INFINITY: i32 = i32::MIN;

/// 4714-11-24 BC, inclusive.
const MICROS_MIN: i64 = -211_813_488_000_000_000;
/// 294277-01-01, exclusive.
const MICROS_END: i64 = 9_223_371_331_200_000_000;
/// 4714-11-24 BC, inclusive.
const DAYS_MIN: i64 = -2_451_545;
/// 5874898-01-01, exclusive.
const DAYS_END: i64 = 2_145_031_949;

const MILLIS_PER_DAY: i64 = 86_400_000;
const MICROS_PER_SECOND: i64 = 1_000_000;
/// Days from 1970-01-01 to 2000-01-01.
pub(crate) const EPOCH_GAP_DAYS: i64 = 10_957;
/// 0001-01-01T00:00:00.000Z, inclusive.
const MILLIS_YEAR_1: i64 = -62_135_596_800_000;
/// 10000-01-01T00:00:00.000Z, exclusive.
const MILLIS_YEAR_10000: i64 = 253_402_300_800_000;

fn in_range(micros: i64) -> Option<i64> {
    (MICROS_MIN..MICROS_END).contains(&micros).then_some(micros)
}

/// Microseconds since 2000 of milliseconds since 1970; `None` outside PostgreSQL's timestamp range.
#[must_use]
#[inline]
pub fn micros_from_millis(millis: i64) -> Option<i64> {
    // Subtracting first: the last years of the range overflow as microseconds since 1970.
    in_range(millis.checked_sub(EPOCH_GAP_MICROS / 1000)?.checked_mul(1000)?)
}

/// Microseconds since 2000 of seconds since 1970; always inside the range.
#[must_use]
pub fn micros_from_seconds(seconds: u32) -> i64 {
    i64::from(seconds) * MICROS_PER_SECOND - EPOCH_GAP_MICROS
}

/// A day since 2000-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day {
    pub days: i32,
    /// True when the instant was not midnight UTC, so its time of day is gone.
    pub floored: bool,
}

/// The UTC day of milliseconds since 1970; `None` outside PostgreSQL's date range.
#[must_use]
pub fn day_from_millis(millis: i64) -> Option<Day> {
    let days = millis.div_euclid(MILLIS_PER_DAY) - EPOCH_GAP_DAYS;
    if !(DAYS_MIN..DAYS_END).contains(&days) {
        return None;
    }
    Some(Day { days: i32::try_from(days).ok()?, floored: millis.rem_euclid(MILLIS_PER_DAY) != 0 })
}

/// An instant after rounding, in microseconds since 2000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded {
    pub micros: i64,
    /// True when digits other than 0 were lost.
    pub lost: bool,
}

fn step(precision: u8) -> i64 {
    10i64.pow(6 - u32::from(precision.min(6)))
}

/// True when `precision` fractional digits of a second do not hold these microseconds exactly.
#[must_use]
pub fn loses_digits(micros: i64, precision: u8) -> bool {
    micros % step(precision) != 0
}

/// Rounds to `precision` fractional digits of a second (6 and more change nothing); halves go away from
/// 2000-01-01, as PostgreSQL's own `timestamp(p)` does. `None` when the result leaves the range.
#[must_use]
pub fn round_micros(micros: i64, precision: u8) -> Option<Rounded> {
    let scale = step(precision);
    let rest = micros % scale;
    let mut rounded = micros - rest;
    if rest.abs() * 2 >= scale {
        rounded = rounded.checked_add(scale * rest.signum())?;
    }
    Some(Rounded { micros: in_range(rounded)?, lost: rest != 0 })
}

/// Year, month and day of days since 1970-01-01 in the proleptic Gregorian calendar.
///
/// Counts in 400-year cycles of 146,097 days that start on 1 March, so that the leap day is a year's last day.
pub(crate) fn civil_from_days(days: i64) -> (i64, u32, u32) {
    let shifted = days + 719_468;
    let cycle = shifted.div_euclid(146_097);
    let day_of_cycle = shifted.rem_euclid(146_097);
    let year_of_cycle = (day_of_cycle - day_of_cycle / 1_460 + day_of_cycle / 36_524 - day_of_cycle / 146_096) / 365;
    let day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = (day_of_year - (153 * month_from_march + 2) / 5 + 1) as u32;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 } as u32;
    let year = year_of_cycle + cycle * 400 + i64::from(month <= 2);
    (year, month, day)
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let cycle = year.div_euclid(400);
    let year_of_cycle = year.rem_euclid(400);
    let month_from_march = i64::from((month + 9) % 12);
    let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(day) - 1;
    let day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
    cycle * 146_097 + day_of_cycle - 719_468
}

fn days_in_month(year: i64, month: u32) -> u32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn put_digits(mut value: u32, slot: &mut [u8]) {
    for digit in slot.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

/// Appends `2021-03-04T05:06:07.089Z`; `false` and nothing appended outside the years 0001 to 9999.
pub fn write_iso(millis: i64, out: &mut Vec<u8>) -> bool {
    if !(MILLIS_YEAR_1..MILLIS_YEAR_10000).contains(&millis) {
        return false;
    }
    let (year, month, day) = civil_from_days(millis.div_euclid(MILLIS_PER_DAY));
    let rest = millis.rem_euclid(MILLIS_PER_DAY) as u32;
    let mut text = *b"0000-00-00T00:00:00.000Z";
    put_digits(year as u32, &mut text[0..4]);
    put_digits(month, &mut text[5..7]);
    put_digits(day, &mut text[8..10]);
    put_digits(rest / 3_600_000, &mut text[11..13]);
    put_digits(rest / 60_000 % 60, &mut text[14..16]);
    put_digits(rest / 1000 % 60, &mut text[17..19]);
    put_digits(rest % 1000, &mut text[20..23]);
    out.extend_from_slice(&text);
    true
}

/// Reads text from the left, part by part.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn number(&mut self, digits: usize) -> Option<u32> {
        let (head, rest) = self.0.split_at_checked(digits)?;
        self.0 = rest;
        head.iter().try_fold(0, |sum, &byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    }

    fn take(&mut self, wanted: u8) -> bool {
        match self.0 {
            [first, rest @ ..] if *first == wanted => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, wanted: u8) -> Option<()> {
        self.take(wanted).then_some(())
    }

    /// Days since 1970 of `YYYY-MM-DD`, years 0001 to 9999.
    fn date(&mut self) -> Option<i64> {
        let year = i64::from(self.number(4)?);
        self.expect(b'-')?;
        let month = self.number(2)?;
        self.expect(b'-')?;
        let day = self.number(2)?;
        let valid = year >= 1 && (1..=12).contains(&month) && day >= 1 && day <= days_in_month(year, month);
        valid.then(|| days_from_civil(year, month, day))
    }

    /// Microseconds of `.123456789`, rounded half up to six digits; true when digits were lost.
    fn fraction(&mut self) -> Option<(i64, bool)> {
        let end = self.0.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(self.0.len());
        let (digits, rest) = self.0.split_at(end);
        if digits.is_empty() {
            return None;
        }
        self.0 = rest;
        let kept = (0..6).fold(0, |sum, at| sum * 10 + digits.get(at).map_or(0, |digit| i64::from(digit - b'0')));
        let more = digits.get(6..).unwrap_or(&[]);
        let up = more.first().is_some_and(|&digit| digit >= b'5');
        Some((kept + i64::from(up), more.iter().any(|&digit| digit != b'0')))
    }

    /// Seconds east of UTC of `Z`, `+hh:mm`, `+hhmm` or `+hh`.
    fn zone(&mut self) -> Option<i64> {
        if self.take(b'Z') {
            return Some(0);
        }
        let sign = if self.take(b'+') {
            1
        } else {
            self.expect(b'-')?;
            -1
        };
        let hours = self.number(2)?;
        let minutes = if self.0.is_empty() {
            0
        } else {
            self.take(b':');
            self.number(2)?
        };
        (hours < 24 && minutes < 60).then(|| sign * i64::from(hours * 3600 + minutes * 60))
    }
}

/// Days since 2000-01-01 of `YYYY-MM-DD`, years 0001 to 9999; `None` for any other text.
#[must_use]
pub fn parse_date(text: &[u8]) -> Option<i32> {
    let mut reader = Reader(text);
    let days = reader.date()? - EPOCH_GAP_DAYS;
    if reader.0.is_empty() {
        i32::try_from(days).ok()
    } else {
        None
    }
}

/// Microseconds since 2000 of ISO 8601 text; `None` for any other text.
///
/// Either a date alone (midnight UTC) or `YYYY-MM-DDThh:mm[:ss[.fraction]]` (a space may stand for the T) with `Z`
/// or an offset, which is required: without one the instant is not known.
#[must_use]
pub fn parse_timestamp(text: &[u8]) -> Option<Rounded> {
    let mut reader = Reader(text);
    let days = reader.date()?;
    let mut seconds = days * 86_400;
    let (mut fraction, mut lost) = (0, false);
    if !reader.0.is_empty() {
        if !reader.take(b'T') {
            reader.expect(b' ')?;
        }
        let hour = reader.number(2)?;
        reader.expect(b':')?;
        let minute = reader.number(2)?;
        let mut second = 0;
        if reader.take(b':') {
            second = reader.number(2)?;
            if reader.take(b'.') {
                (fraction, lost) = reader.fraction()?;
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        seconds += i64::from(hour * 3600 + minute * 60 + second) - reader.zone()?;
        if !reader.0.is_empty() {
            return None;
        }
    }
    let micros = in_range(seconds * MICROS_PER_SECOND + fraction - EPOCH_GAP_MICROS)?;
    Some(Rounded { micros, lost })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn iso(millis: i64) -> Option<String> {
        let mut out = Vec::new();
        write_iso(millis, &mut out).then(|| String::from_utf8(out).unwrap())
    }

    #[test]
    fn micros_from_millis_at_the_edges_of_the_range() {
        assert_eq!(micros_from_millis(946_684_800_000), Some(0));
        assert_eq!(micros_from_millis(0), Some(-EPOCH_GAP_MICROS));
        assert_eq!(micros_from_millis(-210_866_803_200_000), Some(MICROS_MIN));
        assert_eq!(micros_from_millis(-210_866_803_200_001), None);
        assert_eq!(micros_from_millis(9_224_318_015_999_999), Some(MICROS_END - 1000));
        assert_eq!(micros_from_millis(9_224_318_016_000_000), None);
        assert_eq!(micros_from_millis(i64::MAX), None);
        assert_eq!(micros_from_millis(i64::MIN), None);
        assert_eq!(micros_from_seconds(946_684_801), 1_000_000);
    }

    #[test]
    fn day_from_millis_at_the_edges_of_the_range() {
        assert_eq!(day_from_millis(946_684_800_000), Some(Day { days: 0, floored: false }));
        assert_eq!(day_from_millis(946_684_799_999), Some(Day { days: -1, floored: true }));
        assert_eq!(day_from_millis((DAYS_MIN + EPOCH_GAP_DAYS) * MILLIS_PER_DAY).unwrap().days, -2_451_545);
        assert_eq!(day_from_millis((DAYS_MIN + EPOCH_GAP_DAYS) * MILLIS_PER_DAY - 1), None);
        assert_eq!(day_from_millis((DAYS_END + EPOCH_GAP_DAYS) * MILLIS_PER_DAY - 1).unwrap().days, 2_145_031_948);
        assert_eq!(day_from_millis((DAYS_END + EPOCH_GAP_DAYS) * MILLIS_PER_DAY), None);
        assert_eq!(day_from_millis(i64::MAX), None);
        assert_eq!(day_from_millis(i64::MIN), None);
    }

    #[test]
    fn round_micros_takes_halves_away_from_2000() {
        let rounded = |micros, precision| round_micros(micros, precision).map(|r| (r.micros, r.lost));
        assert_eq!(rounded(1_500_000, 0), Some((2_000_000, true)));
        assert_eq!(rounded(-1_500_000, 0), Some((-2_000_000, true)));
        assert_eq!(rounded(1_499_999, 0), Some((1_000_000, true)));
        assert_eq!(rounded(89_000, 3), Some((89_000, false)));
        assert_eq!(rounded(85_000, 2), Some((90_000, true)));
        assert_eq!(rounded(123_456, 6), Some((123_456, false)));
        assert_eq!(rounded(123_456, 200), Some((123_456, false)));
        assert_eq!(rounded(MICROS_END - 1, 0), None);
        assert_eq!(rounded(MICROS_MIN, 0), Some((MICROS_MIN, false)));
    }

    #[test]
    fn write_iso_for_the_first_and_last_years_and_no_others() {
        assert_eq!(iso(0).unwrap(), "1970-01-01T00:00:00.000Z");
        assert_eq!(iso(1_614_834_367_089).unwrap(), "2021-03-04T05:06:07.089Z");
        assert_eq!(iso(-1).unwrap(), "1969-12-31T23:59:59.999Z");
        assert_eq!(iso(951_782_400_000).unwrap(), "2000-02-29T00:00:00.000Z");
        assert_eq!(iso(MILLIS_YEAR_1).unwrap(), "0001-01-01T00:00:00.000Z");
        assert_eq!(iso(MILLIS_YEAR_10000 - 1).unwrap(), "9999-12-31T23:59:59.999Z");
        assert_eq!(iso(MILLIS_YEAR_1 - 1), None);
        assert_eq!(iso(MILLIS_YEAR_10000), None);
        assert_eq!(iso(i64::MIN), None);
    }

    #[test]
    fn civil_date_and_back_for_every_day_of_eight_centuries() {
        for days in -200_000..100_000 {
            let (year, month, day) = civil_from_days(days);
            assert_eq!(days_from_civil(year, month, day), days);
            assert!(day >= 1 && day <= days_in_month(year, month));
        }
    }

    #[test]
    fn parse_date_of_good_and_bad_texts() {
        assert_eq!(parse_date(b"2000-01-01"), Some(0));
        assert_eq!(parse_date(b"1999-12-31"), Some(-1));
        assert_eq!(parse_date(b"2024-02-29"), Some(8825));
        for text in [
            "",
            "2023-02-29",
            "2024-13-01",
            "2024-00-01",
            "2024-01-00",
            "0000-01-01",
            "2024-1-1",
            "2024-01-01 ",
            "+024-01-01",
            "20240101",
        ] {
            assert_eq!(parse_date(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn parse_timestamp_of_good_and_bad_texts() {
        let micros = |text: &str| parse_timestamp(text.as_bytes()).map(|r| (r.micros, r.lost));
        assert_eq!(micros("2000-01-01"), Some((0, false)));
        assert_eq!(micros("2000-01-01T00:00Z"), Some((0, false)));
        assert_eq!(micros("2000-01-01 00:00:01.5Z"), Some((1_500_000, false)));
        assert_eq!(micros("2000-01-01T02:00:00+02:00"), Some((0, false)));
        assert_eq!(micros("1999-12-31T18:30:00-0530"), Some((0, false)));
        assert_eq!(micros("2000-01-01T05:00:00+05"), Some((0, false)));
        assert_eq!(micros("2000-01-01T00:00:00.123456700Z"), Some((123_457, true)));
        assert_eq!(micros("2000-01-01T00:00:00.1234560Z"), Some((123_456, false)));
        assert_eq!(micros("2000-01-01T00:00:00.9999999Z"), Some((1_000_000, true)));
        for text in [
            "2000-01-01T00:00:00",
            "2000-01-01T",
            "2000-01-01T24:00:00Z",
            "2000-01-01T00:60:00Z",
            "2000-01-01T00:00:60Z",
            "2000-01-01T00:00:00.Z",
            "2000-01-01T00:00:00Zx",
            "2000-01-01T00:00:00+24:00",
            "2000-01-01T00:00:00+1",
            "2000-01-01x00:00:00Z",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
    }
}
