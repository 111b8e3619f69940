//! What the walk says of values that cannot be carried: causes with their place, type, value and sentence.

use crate::bson::{BsonError, Raw, Value};
use crate::convert::{Converter, Refusal};
use crate::fault::{Cause, Code, HIDDEN, MAX_CAUSES, VALUE_CHARACTERS};
use crate::json::short_text;
use crate::path::{push_index, push_path, Path};

use super::extras;
use super::walk::Walk;

impl<'t: 'd, 'd> Walk<'t, 'd> {
    /// Says of every leftover field that nobody named it.
    #[cold]
    pub(super) fn unknown(&mut self, number: usize) {
        let mut path = std::mem::take(&mut self.path);
        let mut found = Vec::new();
        let start = self.place("");
        extras::for_each_path(&self.leftovers, &start, &mut path, |path, value| {
            if found.len() < MAX_CAUSES {
                found.push((path.to_owned(), value));
            }
        });
        self.path = path;
        let table = &self.own.plan.tables[self.own.plan.scopes[number].table].name;
        for (path, value) in found {
            self.cause(Cause {
                code: Code::UnknownField,
                bson_type: value.type_name(),
                column: None,
                // Nobody took the field, so nobody could say that it is not sensitive.
                value: HIDDEN.to_owned(),
                message: format!("No field of the mapping takes {path}, and table {table} keeps no extras."),
                path,
            });
        }
    }

    /// The printed place of a path in the row in hand, array positions of the rows above included.
    fn place(&self, path: &str) -> String {
        let mut out = String::new();
        for (field, position) in &self.trail {
            push_path(field, &mut out);
            push_index(*position as usize, &mut out);
        }
        push_path(path, &mut out);
        out
    }

    fn cause(&mut self, cause: Cause) {
        if self.causes.len() < MAX_CAUSES {
            self.causes.push(cause);
        }
    }

    /// Notes that a column refused its value.
    #[cold]
    #[allow(clippy::boxed_local)] // refusals travel boxed, so that the way without one stays narrow
    pub(super) fn refuse(
        &mut self,
        converter: &'t Converter,
        path: &str,
        value: Option<Value<'d>>,
        refusal: Box<Refusal>,
    ) {
        self.side.clear();
        if self.causes.len() >= MAX_CAUSES {
            return;
        }
        let column = &converter.column;
        let mut path = self.place(path);
        let (bson_type, shown) = match refusal.inside {
            Some(inside) => {
                push_path(&inside.path, &mut path);
                (inside.bson_type, inside.value)
            }
            None => match value {
                None => ("missing", String::new()),
                Some(_) if column.sensitive => (value.map_or("missing", |value| value.type_name()), HIDDEN.to_owned()),
                Some(value) => (value.type_name(), short_text(&value, VALUE_CHARACTERS)),
            },
        };
        let shown = if column.sensitive && !shown.is_empty() { HIDDEN.to_owned() } else { shown };
        let at = if path.is_empty() { "the document" } else { &path };
        let message = match quoted(&shown, bson_type) {
            Some(quoted) => format!("Column {} cannot take {quoted} from {at}: {}.", column.qualified, refusal.reason),
            None => format!("Column {} cannot be filled from {at}: {}.", column.qualified, refusal.reason),
        };
        self.cause(Cause {
            code: refusal.code,
            path,
            bson_type,
            column: Some(column.qualified.clone()),
            value: shown,
            message,
        });
    }

    /// Notes a value of the wrong shape where rows should come from.
    #[cold]
    pub(super) fn misfit(
        &mut self,
        (code, what): (Code, &str),
        path: &str,
        value: Value<'d>,
        table: usize,
        hidden: bool,
    ) {
        let path = self.place(path);
        let table = &self.own.plan.tables[table].name;
        let shown = if hidden { HIDDEN.to_owned() } else { short_text(&value, VALUE_CHARACTERS) };
        let message = format!("The {} at {path} {what} of table {table}.", value.type_name());
        self.cause(Cause { code, path, bson_type: value.type_name(), column: None, value: shown, message });
    }

    /// Notes bytes that are not BSON.
    #[cold]
    pub(super) fn malformed(&mut self, error: BsonError) {
        let path = locate(self.bytes_in_hand, error.offset);
        self.cause(Cause {
            code: Code::from_slug(error.code).unwrap_or(Code::Bson),
            path,
            bson_type: "unknown",
            column: None,
            value: String::new(),
            message: format!("At byte {} of the document: {}", error.offset, error.message),
        });
    }
}

/// A value as a message shows it: texts in quotes, so that their end is seen; none for no value.
fn quoted(shown: &str, bson_type: &str) -> Option<String> {
    match bson_type {
        _ if shown == HIDDEN => Some(HIDDEN.to_owned()),
        "string" | "symbol" | "javascript" => Some(format!("\"{shown}\"")),
        _ if shown.is_empty() => None,
        _ => Some(shown.to_owned()),
    }
}

/// The path of the place at `offset` in a document, as far as the document can be read.
fn locate(document: &[u8], offset: usize) -> String {
    let mut path = Path::default();
    let mut level = Raw::new(document).ok();
    while let Some(raw) = level.take() {
        let mut after = raw.offset() + 4;
        for element in raw.elements() {
            let Ok(element) = element else {
                // The element that cannot be read starts where the last one ended: a type byte, then its key.
                let rest = document.get(after + 1..).unwrap_or_default();
                if let Some(end) = rest.iter().position(|&byte| byte == 0) {
                    path.push_key(&rest[..end]);
                }
                break;
            };
            after = element.offset + element.raw.len();
            if offset < after {
                path.push_key(element.key);
                if let Value::Document(inner) | Value::Array(inner) = element.value {
                    level = Some(inner);
                }
                break;
            }
        }
    }
    path.text()
}
