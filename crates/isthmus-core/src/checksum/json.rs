//! The canonical form of a JSON text: what PostgreSQL prints of a jsonb that was made of it.
//!
//! Order of keys: `lengthCompareJsonbStringValue` in `src/backend/utils/adt/jsonb_util.c`. Numbers: `numeric_out`.

use crate::json::text::{clean_prefix, write_string};

use super::group::Group;

/// Deeper texts are taken as they are. JSON of documents nests no deeper: 100 levels whose values are code with scope
/// double, and wrappers add up to three.
const MAX_DEPTH: usize = 256;
/// Characters of the longest number that is written out, its sign and its point included.
const LONGEST_NUMBER: i64 = 64;
/// Beyond, nothing is a numeric any more; the bound keeps sums from overflowing.
const LARGEST_EXPONENT: i64 = 1_000_000_000_000;
/// Stands before a text that is taken as it is.
const RAW: u8 = 0;

const NOT_JSON: &str = "A jsonb value is not JSON.";

/// In a path: every element of an array.
const EVERY_ELEMENT: &str = "[]";

/// Where texts of a JSON value are ids of a group, as a tree over the paths; the first node is the value itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Rewrites {
    nodes: Vec<Node>,
}

#[derive(Debug, Clone, Default)]
struct Node {
    keys: Vec<(Box<[u8]>, usize)>,
    element: Option<usize>,
    group: Option<usize>,
}

impl Rewrites {
    pub(super) fn add(&mut self, path: &[String], group: usize) {
        if self.nodes.is_empty() {
            self.nodes.push(Node::default());
        }
        let mut at = 0;
        for step in path {
            let fresh = self.nodes.len();
            let node = &mut self.nodes[at];
            at = if step == EVERY_ELEMENT {
                *node.element.get_or_insert(fresh)
            } else if let Some((_, next)) = node.keys.iter().find(|(key, _)| **key == *step.as_bytes()) {
                *next
            } else {
                node.keys.push((step.as_bytes().into(), fresh));
                fresh
            };
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        self.nodes[at].group = Some(group);
    }

    fn root(&self) -> Option<&Node> {
        self.nodes.first()
    }

    fn below_key(&self, node: &Node, key: &[u8]) -> Option<&Node> {
        node.keys.iter().find(|(name, _)| **name == *key).and_then(|(_, next)| self.nodes.get(*next))
    }

    fn below_element(&self, node: &Node) -> Option<&Node> {
        node.element.and_then(|next| self.nodes.get(next))
    }
}

/// Room that is used again for every value.
#[derive(Debug, Default)]
pub(super) struct Json {
    /// Keys of the objects that are open, unescaped.
    keys: Vec<u8>,
    members: Vec<Member>,
    body: Vec<u8>,
}

/// One written member, its trailing comma included.
#[derive(Debug, Clone, Copy)]
struct Member {
    /// Of the unescaped key.
    key: (usize, usize),
    /// Of what was written, counted from the object's first member.
    written: (usize, usize),
}

enum Stop {
    Wrong,
    TooDeep,
}

type Done = Result<(), Stop>;

impl Json {
    /// Appends the form of a JSON text.
    ///
    /// # Errors
    /// A sentence for text that is not JSON in UTF-8.
    pub(super) fn write(
        &mut self,
        text: &[u8],
        rewrites: &Rewrites,
        groups: &[Group],
        out: &mut Vec<u8>,
    ) -> Result<(), &'static str> {
        let text = std::str::from_utf8(text).map_err(|_| "A jsonb value is not UTF-8.")?;
        self.keys.clear();
        self.members.clear();
        let start = out.len();
        let mut reader = Reader { text, at: 0, room: self, rewrites, groups };
        match reader.value(1, rewrites.root(), out) {
            Ok(()) => {}
            Err(Stop::Wrong) => return Err(NOT_JSON),
            Err(Stop::TooDeep) => {
                out.truncate(start);
                out.push(RAW);
                out.extend_from_slice(text.as_bytes());
                return Ok(());
            }
        }
        reader.spaces();
        if reader.at < text.len() {
            return Err(NOT_JSON);
        }
        Ok(())
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    room: &'a mut Json,
    rewrites: &'a Rewrites,
    groups: &'a [Group],
}

impl<'a> Reader<'a> {
    #[inline]
    fn rest(&self) -> &'a [u8] {
        &self.text.as_bytes()[self.at..]
    }

    #[inline]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    #[inline]
    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    #[inline]
    fn take(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    #[inline]
    fn expect(&mut self, wanted: u8) -> Done {
        if self.take(wanted) {
            Ok(())
        } else {
            Err(Stop::Wrong)
        }
    }

    fn value(&mut self, depth: usize, node: Option<&'a Node>, out: &mut Vec<u8>) -> Done {
        if depth > MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        self.spaces();
        match self.peek() {
            Some(b'{') => self.object(depth, node, out),
            Some(b'[') => self.array(depth, node, out),
            Some(b'"') => match node.and_then(|node| self.groups.get(node.group?)) {
                Some(group) => self.id(group, out),
                None => self.string(out),
            },
            Some(b'-' | b'0'..=b'9') => self.number(out),
            _ => self.word(out),
        }
    }

    fn word(&mut self, out: &mut Vec<u8>) -> Done {
        for word in [&b"true"[..], b"false", b"null"] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                out.extend_from_slice(word);
                return Ok(());
            }
        }
        Err(Stop::Wrong)
    }

    fn array(&mut self, depth: usize, node: Option<&'a Node>, out: &mut Vec<u8>) -> Done {
        let below = node.and_then(|node| self.rewrites.below_element(node));
        self.at += 1;
        out.push(b'[');
        self.spaces();
        if !self.take(b']') {
            loop {
                self.value(depth + 1, below, out)?;
                self.spaces();
                if !self.take(b',') {
                    break;
                }
                out.extend_from_slice(b", ");
            }
            self.expect(b']')?;
        }
        out.push(b']');
        Ok(())
    }

    fn object(&mut self, depth: usize, node: Option<&'a Node>, out: &mut Vec<u8>) -> Done {
        self.at += 1;
        out.push(b'{');
        let start = out.len();
        let (first_member, first_key) = (self.room.members.len(), self.room.keys.len());
        self.spaces();
        if !self.take(b'}') {
            loop {
                self.spaces();
                let written = out.len() - start;
                let key = self.key(out)?;
                self.spaces();
                self.expect(b':')?;
                out.extend_from_slice(b": ");
                let below = node.and_then(|node| self.rewrites.below_key(node, &self.room.keys[key.0..key.1]));
                self.value(depth + 1, below, out)?;
                out.extend_from_slice(b", ");
                self.room.members.push(Member { key, written: (written, out.len() - start) });
                self.spaces();
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}')?;
            self.room.sort(first_member, start, out);
            out.truncate(out.len() - 2);
        }
        self.room.members.truncate(first_member);
        self.room.keys.truncate(first_key);
        out.push(b'}');
        Ok(())
    }

    /// Appends a key, and keeps it unescaped; returns where.
    fn key(&mut self, out: &mut Vec<u8>) -> Result<(usize, usize), Stop> {
        self.expect(b'"')?;
        let start = self.room.keys.len();
        let clean = clean_prefix(self.rest());
        let key = &self.rest()[..clean];
        if self.rest().get(clean) == Some(&b'"') {
            self.room.keys.extend_from_slice(key);
            out.push(b'"');
            out.extend_from_slice(key);
            out.push(b'"');
            self.at += clean + 1;
        } else {
            let key = self.unescaped()?;
            self.room.keys.extend_from_slice(key.as_bytes());
            write_string(&key, out);
        }
        Ok((start, self.room.keys.len()))
    }

    #[inline]
    fn string(&mut self, out: &mut Vec<u8>) -> Done {
        self.at += 1;
        let clean = clean_prefix(self.rest());
        if self.rest().get(clean) == Some(&b'"') {
            out.extend_from_slice(&self.text.as_bytes()[self.at - 1..=self.at + clean]);
            self.at += clean + 1;
        } else {
            write_string(&self.unescaped()?, out);
        }
        Ok(())
    }

    /// A text that is an id.
    #[cold]
    fn id(&mut self, group: &Group, out: &mut Vec<u8>) -> Done {
        self.at += 1;
        let id = self.unescaped()?;
        match std::str::from_utf8(group.text(id.as_bytes())) {
            Ok(id) => write_string(id, out),
            // Groups are made of texts.
            Err(_) => return Err(Stop::Wrong),
        }
        Ok(())
    }

    /// The rest of a string, up to and with its quote.
    fn unescaped(&mut self) -> Result<String, Stop> {
        let mut text = String::new();
        loop {
            let clean = clean_prefix(self.rest());
            // Neither end is inside a character: what stands there is ASCII.
            text.push_str(self.text.get(self.at..self.at + clean).ok_or(Stop::Wrong)?);
            self.at += clean;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                }
                _ => return Err(Stop::Wrong),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Stop> {
        let letter = self.peek().ok_or(Stop::Wrong)?;
        self.at += 1;
        Ok(match letter {
            b'"' | b'\\' | b'/' => char::from(letter),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let mut code = self.hex()?;
                if (0xD800..0xDC00).contains(&code) {
                    self.expect(b'\\')?;
                    self.expect(b'u')?;
                    let low = self.hex()?;
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(Stop::Wrong);
                    }
                    code = 0x1_0000 + ((code - 0xD800) << 10) + (low - 0xDC00);
                }
                char::from_u32(code).ok_or(Stop::Wrong)?
            }
            _ => return Err(Stop::Wrong),
        })
    }

    fn hex(&mut self) -> Result<u32, Stop> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16)).ok_or(Stop::Wrong)?;
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn digits(&mut self) -> Result<&'a [u8], Stop> {
        let rest = self.rest();
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.at += count;
        if count == 0 {
            return Err(Stop::Wrong);
        }
        Ok(&rest[..count])
    }

    fn number(&mut self, out: &mut Vec<u8>) -> Done {
        let start = self.at;
        let negative = self.take(b'-');
        let whole = self.digits()?;
        if whole.len() > 1 && whole[0] == b'0' {
            return Err(Stop::Wrong);
        }
        let fraction = if self.take(b'.') { self.digits()? } else { &[] };
        let plain = &self.text.as_bytes()[start..self.at];
        let exponent = if self.take(b'e') || self.take(b'E') { Some(self.exponent()?) } else { None };
        let zero = || whole == b"0" && fraction.iter().all(|&digit| digit == b'0');
        if exponent.is_none() && plain.len() as i64 <= LONGEST_NUMBER && !(negative && zero()) {
            out.extend_from_slice(plain);
        } else {
            write_number(negative, whole, fraction, exponent.unwrap_or(0), out);
        }
        Ok(())
    }

    fn exponent(&mut self) -> Result<i64, Stop> {
        let negative = self.take(b'-');
        if !negative {
            self.take(b'+');
        }
        let digits = self.digits()?;
        let exponent =
            digits.iter().fold(0i64, |sum, digit| (sum * 10 + i64::from(digit - b'0')).min(LARGEST_EXPONENT));
        Ok(if negative { -exponent } else { exponent })
    }
}

/// Writes `whole.fraction` x 10^exponent as `numeric` prints it, or, when that is long, as digits without outer zeros, `e`
/// and exponent, and `s` and the display scale where it is not the least.
fn write_number(negative: bool, whole: &[u8], fraction: &[u8], exponent: i64, out: &mut Vec<u8>) {
    let scale = (fraction.len() as i64 - exponent).max(0);
    let digits = [whole, fraction].concat();
    let leading = digits.iter().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[leading..];
    let trailing = digits.iter().rev().take_while(|&&digit| digit == b'0').count();
    let digits = &digits[..digits.len() - trailing];
    // Of zero nothing is left; its exponent says nothing.
    let exponent = if digits.is_empty() { 0 } else { exponent - fraction.len() as i64 + trailing as i64 };
    let count = digits.len() as i64;
    let before = (count + exponent).max(1);
    let minus = negative && count > 0;
    if minus {
        out.push(b'-');
    }
    if i64::from(minus) + before + i64::from(scale > 0) + scale <= LONGEST_NUMBER {
        // Digit at 10^power.
        let at = |power: i64| {
            let index = count + exponent - 1 - power;
            usize::try_from(index).ok().and_then(|index| digits.get(index)).copied().unwrap_or(b'0')
        };
        out.extend((0..before).rev().map(at));
        if scale > 0 {
            out.push(b'.');
            out.extend((1..=scale).map(|power| at(-power)));
        }
        return;
    }
    out.extend_from_slice(if digits.is_empty() { b"0" } else { digits });
    out.extend_from_slice(format!("e{exponent}").as_bytes());
    if scale != (-exponent).max(0) {
        out.extend_from_slice(format!("s{scale}").as_bytes());
    }
}

impl Json {
    /// Brings the members from `first` on, written from `start` on, into order, of equal keys the last.
    fn sort(&mut self, first: usize, start: usize, out: &mut Vec<u8>) {
        let keys = &self.keys;
        let key = |member: &Member| {
            let key = &keys[member.key.0..member.key.1];
            (key.len(), key)
        };
        let members = &mut self.members[first..];
        if members.windows(2).all(|pair| key(&pair[0]) < key(&pair[1])) {
            return;
        }
        members.sort_by(|one, other| key(one).cmp(&key(other)));
        self.body.clear();
        self.body.extend_from_slice(&out[start..]);
        out.truncate(start);
        for (at, member) in members.iter().enumerate() {
            if members.get(at + 1).is_none_or(|next| key(next) != key(member)) {
                out.extend_from_slice(&self.body[member.written.0..member.written.1]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::group::Asked;

    fn canonical(text: &str) -> String {
        let mut out = b"before".to_vec();
        Json::default().write(text.as_bytes(), &Rewrites::default(), &[], &mut out).unwrap();
        String::from_utf8(out).unwrap().strip_prefix("before").unwrap().to_owned()
    }

    #[test]
    fn numbers_are_written_as_numeric_prints_them() {
        for (text, printed) in [
            ("1", "1"),
            ("-1.50", "-1.50"),
            ("1.5e0", "1.5"),
            ("1.50e1", "15.0"),
            ("15e-1", "1.5"),
            ("1e3", "1000"),
            ("1.5E+3", "1500"),
            ("1e-3", "0.001"),
            ("10e-3", "0.010"),
            ("-0", "0"),
            ("-0.00", "0.00"),
            ("0e5", "0"),
            ("-0.0e-1", "0.00"),
            ("0.00001230", "0.00001230"),
            ("1e63", &format!("1{}", "0".repeat(63))),
            ("1e64", "1e64"),
            ("-1e62", &format!("-1{}", "0".repeat(62))),
            ("-1e63", "-1e63"),
            ("1e-62", &format!("0.{}1", "0".repeat(61))),
            ("1e-63", "1e-63"),
            ("-1e300", "-1e300"),
            ("1.2e-300", "12e-301"),
            ("1.20e-300", "12e-301s302"),
            ("0e-300", "0e0s300"),
            ("1e99999999999999999999", "1e1000000000000"),
        ] {
            assert_eq!(canonical(text), printed, "{text}");
        }
        // The same number, written out and not.
        assert_eq!(canonical(&format!("1{}", "0".repeat(300))), canonical("1e300"));
        assert_eq!(canonical(&format!("0.{}1", "0".repeat(299))), canonical("1e-300"));
        for length in 58..70 {
            let ones = "1".repeat(length);
            assert_eq!(canonical(&ones), canonical(&format!("{ones}e0")));
            assert_eq!(canonical(&format!("-{ones}.0")), canonical(&format!("-{ones}0e-1")));
            assert_eq!(canonical(&format!("0.{ones}0")), canonical(&format!("{ones}0e-{}", length + 1)));
            assert_eq!(canonical(&format!("-0.{ones}")), canonical(&format!("-{ones}e-{length}")));
        }
    }

    #[test]
    fn keys_are_in_the_servers_order_and_the_last_of_equal_ones_stays() {
        assert_eq!(
            canonical(r#"{"bb": 1,"a":{"d":[],"c":{}},"\u0061b":2}"#),
            r#"{"a": {"c": {}, "d": []}, "ab": 2, "bb": 1}"#
        );
        assert_eq!(canonical(r#"{"a":1,"b":2,"a":3}"#), r#"{"a": 3, "b": 2}"#);
        assert_eq!(canonical(r#"{"a":1,"\u0061":2}"#), r#"{"a": 2}"#);
        assert_eq!(
            canonical(r#"[{"b":1,"a":2},[true,false,null],{"":0}]"#),
            r#"[{"a": 2, "b": 1}, [true, false, null], {"": 0}]"#
        );
        // By length of the key, not of how it is written.
        assert_eq!(canonical(r#"{"\"":1,"aa":2}"#), r#"{"\"": 1, "aa": 2}"#);
    }

    #[test]
    fn texts_have_one_form() {
        assert_eq!(canonical(r#""\u00e9\/\u0041\ud83d\ude00\t\u0009\u001f""#), "\"é/A😀\\t\\t\\u001f\"");
        assert_eq!(canonical(r#" "\"\\\u0000" "#), r#""\"\\\u0000""#);
    }

    #[test]
    fn ids_are_translated_where_the_paths_say_so() {
        let pairs = vec![("one".to_owned(), "eins".to_owned())];
        let groups = [Group::new(pairs, Asked { texts: true, ..Asked::default() }).unwrap()];
        let mut rewrites = Rewrites::default();
        for path in [&["a"][..], &["l", "[]", "b"], &["l", "[]", "[]"]] {
            let path: Vec<String> = path.iter().map(|step| (*step).to_owned()).collect();
            rewrites.add(&path, 0);
        }
        let text = r#"{"a":"one","b":"one","l":[{"b":"one","a":"one"},["one",{"b":"one"},1],"one"],"one":"o\u006ee"}"#;
        let mut out = Vec::new();
        Json::default().write(text.as_bytes(), &rewrites, &groups, &mut out).unwrap();
        let expected = r#"{"a": "eins", "b": "one", "l": [{"a": "one", "b": "eins"}, ["eins", {"b": "one"}, 1], "one"], "one": "one"}"#;
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn texts_that_are_not_json_are_refused() {
        for text in [
            "",
            " ",
            "nul",
            "tru",
            "01",
            "1.",
            ".5",
            "-",
            "+1",
            "1e",
            "1e+",
            "NaN",
            "[1,]",
            "[1 2]",
            "{\"a\":}",
            "{a:1}",
            "{\"a\":1,}",
            "[",
            "{",
            "\"",
            "\"\\x\"",
            "\"\\ud800\"",
            "\"\\ud800\\u0041\"",
            "\"\\udc00\"",
            "\"\\u12\"",
            "\"\n\"",
            "1 2",
            "]",
            "{\"a",
        ] {
            let done = Json::default().write(text.as_bytes(), &Rewrites::default(), &[], &mut Vec::new());
            assert!(done.is_err(), "{text}");
        }
        assert!(Json::default().write(b"\"\xff\"", &Rewrites::default(), &[], &mut Vec::new()).is_err());
    }

    #[test]
    fn what_nests_too_deep_is_taken_as_it_is() {
        let deep = |depth: usize| format!("{} {}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(canonical(&deep(256)), deep(256).replace(' ', ""));
        assert_eq!(canonical(&deep(257)), format!("\0{}", deep(257)));
        assert_ne!(canonical(&"[".repeat(100_000)), canonical(&"[".repeat(100_001)));
    }
}
