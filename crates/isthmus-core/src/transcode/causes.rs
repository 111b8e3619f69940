//! What the walk says of values that cannot be carried: causes with their place, type, value and sentence.

use crate::bson::{BsonError, Raw, Value};
use crate::convert::{Converter, Refusal};
use crate::fault::{Cause, Code, HIDDEN, MAX_CAUSES, VALUE_CHARACTERS};
use crate::json::{short_text, Path};

use super::extras;
use super::walk::Walk;

impl<'t, 'd> Walk<'t, 'd> {
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
                // Nobody named the field, so nobody could say that it is not sensitive.
                value: HIDDEN.to_owned(),
                message: format!("No field of the mapping names {path}, and table {table} keeps no extras."),
                path,
            });
        }
    }

    /// The printable place of a path in the row in hand, array positions of the rows above included.
    fn place(&self, path: &str) -> String {
        let mut out = String::new();
        for (field, position) in &self.trail {
            out.push_str(field);
            out.push('.');
            out.push_str(&position.to_string());
            out.push('.');
        }
        out.push_str(path);
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
                if !inside.path.is_empty() {
                    if !path.is_empty() && !path.ends_with('.') {
                        path.push('.');
                    }
                    path.push_str(&inside.path);
                }
                (inside.bson_type, inside.value)
            }
            None => match value {
                None => ("missing", String::new()),
                Some(_) if column.sensitive => (value.map_or("missing", |value| value.type_name()), HIDDEN.to_owned()),
                Some(value) => (value.type_name(), short_text(&value, VALUE_CHARACTERS)),
            },
        };
        let shown = if column.sensitive && !shown.is_empty() { HIDDEN.to_owned() } else { shown };
        let path = path.trim_end_matches('.').to_owned();
        let at = if path.is_empty() { "the document" } else { &path };
        let message = if shown.is_empty() {
            format!("Column {} cannot be filled from {at}: {}.", column.qualified, refusal.reason)
        } else {
            format!("Column {} cannot take {shown} from {at}: {}.", column.qualified, refusal.reason)
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
    pub(super) fn misfit(&mut self, table: usize, code: Code, path: &str, value: Value<'d>, what: &str) {
        let place = self.place(path);
        let path = place.trim_end_matches('.').to_owned();
        let shown = short_text(&value, VALUE_CHARACTERS);
        let message = format!(
            "The {} at {path} {what} of a child of table {}.",
            value.type_name(),
            self.own.plan.tables[table].name
        );
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
