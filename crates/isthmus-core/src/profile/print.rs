//! JSON objects in which what is zero or empty is left out.

use crate::json::text::write_integer;
use crate::json::write_string;

/// An object that is being written; call [`Object::close`] at its end.
pub(crate) struct Object<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> Object<'o> {
    pub(crate) fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    pub(crate) fn close(self) {
        self.out.push(b'}');
    }

    /// Starts a member; its value is to be appended.
    pub(crate) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
        write_string(name, self.out);
        self.out.push(b':');
        self.out
    }

    /// A count, unless it is zero.
    pub(crate) fn count(&mut self, name: &str, count: u64) {
        if count > 0 {
            write_count(count, self.member(name));
        }
    }

    /// A count, also of zero.
    pub(crate) fn number(&mut self, name: &str, count: u64) {
        write_count(count, self.member(name));
    }

    pub(crate) fn flag(&mut self, name: &str, flag: bool) {
        if flag {
            self.member(name).extend_from_slice(b"true");
        }
    }

    pub(crate) fn text(&mut self, name: &str, text: &str) {
        write_string(text, self.member(name));
    }

    /// Lowest and highest, when there are any.
    pub(crate) fn range<T: Copy>(&mut self, name: &str, range: Option<(T, T)>, write: impl Fn(T, &mut Vec<u8>)) {
        if let Some((lowest, highest)) = range {
            let out = self.member(name);
            out.push(b'[');
            write(lowest, out);
            out.push(b',');
            write(highest, out);
            out.push(b']');
        }
    }
}

pub(crate) fn write_count(count: u64, out: &mut Vec<u8>) {
    // Counts of things that were read one by one stay far below 2^63.
    write_integer(i64::try_from(count).unwrap_or(i64::MAX), out);
}

/// Appends a JSON array.
pub(crate) fn write_list<T>(items: impl IntoIterator<Item = T>, out: &mut Vec<u8>, write: impl Fn(T, &mut Vec<u8>)) {
    out.push(b'[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(item, out);
    }
    out.push(b']');
}
