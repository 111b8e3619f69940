//! Paths inside documents and their one printed form: keys with dots between.
//!
//! Decides how every key prints, so that two different paths never share a text in causes and counts: a dot or a
//! backslash inside a key has a backslash before it, an empty key is `""`, array positions are numbers. Bytes of keys
//! that are not UTF-8 become U+FFFD. The empty text is the empty path: the document, or the value itself.

/// What an empty key prints as, so that it is seen.
const EMPTY_KEY: &str = "\"\"";

/// The printed form of a path.
#[must_use]
pub fn print_path<S: AsRef<str>>(path: &[S]) -> String {
    let mut out = String::new();
    for key in path {
        push_key(key.as_ref(), &mut out);
    }
    out
}

/// Appends one key to a printed path.
pub(crate) fn push_key(key: &str, out: &mut String) {
    push_printed("", out);
    if key.is_empty() {
        return out.push_str(EMPTY_KEY);
    }
    let mut rest = key;
    while let Some(at) = memchr::memchr2(b'.', b'\\', rest.as_bytes()) {
        let (plain, special) = rest.split_at(at);
        out.push_str(plain);
        out.push('\\');
        out.push_str(&special[..1]);
        rest = &special[1..];
    }
    out.push_str(rest);
}

/// Appends an array position to a printed path.
pub(crate) fn push_index(index: usize, out: &mut String) {
    push_printed(&index.to_string(), out);
}

/// Appends a printed path to a printed path.
pub(crate) fn push_path(path: &str, out: &mut String) {
    if !path.is_empty() {
        push_printed(path, out);
    }
}

/// The printed path that leads through `above` to `path`.
#[must_use]
pub(crate) fn join(above: &str, path: &str) -> String {
    let mut out = above.to_owned();
    push_path(path, &mut out);
    out
}

fn push_printed(part: &str, out: &mut String) {
    if !out.is_empty() {
        out.push('.');
    }
    out.push_str(part);
}

/// Where a value lies inside its document, while it is walked: keys and array positions.
#[derive(Debug, Default, Clone)]
pub struct Path {
    keys: Vec<u8>,
    segments: Vec<Segment>,
}

#[derive(Debug, Clone, Copy)]
enum Segment {
    /// The key starts here in `keys` and ends at the next key or at the end.
    Key(usize),
    Index(usize),
}

impl Path {
    #[inline]
    pub fn push_key(&mut self, key: &[u8]) {
        self.segments.push(Segment::Key(self.keys.len()));
        self.keys.extend_from_slice(key);
    }

    #[inline]
    pub fn push_index(&mut self, index: usize) {
        self.segments.push(Segment::Index(index));
    }

    #[inline]
    pub fn pop(&mut self) {
        if let Some(Segment::Key(start)) = self.segments.pop() {
            self.keys.truncate(start);
        }
    }

    pub fn clear(&mut self) {
        self.keys.clear();
        self.segments.clear();
    }

    /// How many keys and positions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.segments.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(crate) fn truncate(&mut self, length: usize) {
        while self.segments.len() > length {
            self.pop();
        }
    }

    /// The printed form.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            match *segment {
                Segment::Key(start) => {
                    let next = self.segments[at + 1..].iter().find_map(|segment| match *segment {
                        Segment::Key(start) => Some(start),
                        Segment::Index(_) => None,
                    });
                    let key = &self.keys[start..next.unwrap_or(self.keys.len())];
                    push_key(&String::from_utf8_lossy(key), &mut out);
                }
                Segment::Index(index) => push_index(index, &mut out),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_paths_tell_keys_apart() {
        for (path, printed) in [
            (&["a", "b"][..], "a.b"),
            (&["a.b"], "a\\.b"),
            (&["a\\", "b"], "a\\\\.b"),
            (&["a", ""], "a.\"\""),
            (&["", "a"], "\"\".a"),
            (&[""], "\"\""),
            (&[], ""),
        ] {
            assert_eq!(print_path(path), printed);
            let mut walked = Path::default();
            path.iter().for_each(|key| walked.push_key(key.as_bytes()));
            assert_eq!(walked.text(), printed);
        }
        assert_eq!((join("a", "b"), join("", "b"), join("a", "")), ("a.b".into(), "b".into(), "a".into()));
    }

    #[test]
    fn path_text_joins_keys_and_positions() {
        let mut path = Path::default();
        assert_eq!(path.text(), "");
        path.push_key(b"steps");
        path.push_index(3);
        path.push_key(b"");
        path.push_key(b"n\xff.");
        assert_eq!(path.text(), "steps.3.\"\".n\u{FFFD}\\.");
        path.pop();
        path.pop();
        assert_eq!(path.text(), "steps.3");
        path.pop();
        path.push_key(b"x");
        assert_eq!(path.text(), "steps.x");
        path.clear();
        path.pop();
        assert!(path.is_empty());
    }
}
