//! What the values of a column may become because the mapping names it: by `values`, or by a default.
//!
//! Decides how each such exchange is numbered and called. Their number is bounded by the words of the mapping, never by
//! the data. A column's are numbered: each of its `values` in the order of the plan, all others (`*`), then the
//! default for a missing field, then the one for null.

use crate::batch::Change;
use crate::fault::HIDDEN;
use crate::json::short_text;
use crate::plan::{Column, DefaultRule, Json, Literal};

/// Characters of a value that an exchange is called by.
const WORD_CHARACTERS: usize = 200;

/// The exchanges of one column, by number: kind, and `WAS → BECAME`.
///
/// Values stand as in JSON, so that texts have quotes; `missing`, `null`, `*`, `now`, `id_time` and `(hidden)`, in place
/// of the values of a sensitive column, have none.
pub(super) fn exchanges(column: &Column) -> Vec<(Change, String)> {
    let hidden = column.sensitive;
    let word = |value: &Json| if hidden { HIDDEN.to_owned() } else { word(value) };
    let mut found = Vec::new();
    if let Some(rules) = &column.rules {
        found.extend(rules.values.iter().map(|(from, to)| (Change::ValueMapped, called(&word(from), &word(to)))));
        let star = if hidden { HIDDEN } else { "*" };
        found.extend(rules.others.iter().map(|to| (Change::ValueMapped, called(star, &word(to)))));
    }
    if let Some(default) = &column.default {
        let filled = match default {
            DefaultRule::Literal { value } => word(value),
            DefaultRule::Now => "now".to_owned(),
            DefaultRule::IdTime => "id_time".to_owned(),
        };
        found.extend(["missing", "null"].map(|state| (Change::Default, called(state, &filled))));
    }
    found
}

/// The number of the exchange of a missing field for the default; that of null follows.
pub(super) fn first_filled(column: &Column) -> usize {
    column.rules.as_ref().map_or(0, |rules| rules.values.len() + usize::from(rules.others.is_some()))
}

fn called(was: &str, became: &str) -> String {
    format!("{was} → {became}")
}

/// A value of the mapping as an exchange is called by it.
fn word(value: &Json) -> String {
    match value {
        Json::Text(text) => quoted(text),
        other => Literal::from_json(other).map_or_else(|why| why, |it| short_text(&it.value(), WORD_CHARACTERS)),
    }
}

/// A text as JSON has it, without control characters and of bounded length.
fn quoted(text: &str) -> String {
    let mut out = String::from('"');
    for (count, character) in text.chars().enumerate() {
        if count == WORD_CHARACTERS {
            out.push('…');
            break;
        }
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            control if control.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}
