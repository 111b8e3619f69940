//! Conditions on documents: which shape takes one, and which are left out with a reason.

use crate::bson::{too_deep, BsonError, Raw, Value, MAX_DEPTH};
use crate::canonical::write_canonical;
use crate::plan::{Choice, Literal, Op, Plan, Skip, Test};

/// The number of the first shape whose conditions all hold. Afterwards the slots of the choice are those of the document.
///
/// # Errors
/// Malformed BSON on the levels that conditions look at.
pub(super) fn choose<'d>(
    plan: &Plan,
    choice: &Choice,
    document: &'d [u8],
    slots: &mut [Option<Value<'d>>],
    now_ms: i64,
    scratch: &mut Vec<u8>,
) -> Result<Option<usize>, BsonError> {
    let (start, end) = choice.slots;
    slots[start..end].fill(None);
    look(plan, choice.node, Raw::new(document)?, 1, slots)?;
    Ok(plan
        .shapes
        .iter()
        .position(|shape| shape.when.iter().all(|test| holds(test, &slots[test.slot], now_ms, scratch))))
}

/// Reads a level, and those below it, that no rule but a condition looks at: into slots and nothing else.
pub(super) fn look<'d>(
    plan: &Plan,
    node: usize,
    raw: Raw<'d>,
    depth: usize,
    slots: &mut [Option<Value<'d>>],
) -> Result<(), BsonError> {
    if depth > MAX_DEPTH {
        return Err(too_deep(raw.offset()));
    }
    let level = &plan.nodes[node];
    for element in raw.elements() {
        let element = element?;
        if let Some(entry) = level.find(element.key) {
            slots[entry.slot] = Some(element.value);
        }
    }
    for &open in &level.open {
        let entry = &level.entries[open];
        if let (Some(below), Some(Value::Document(inner))) = (entry.below, slots[entry.slot]) {
            look(plan, below, inner, depth + 1, slots)?;
        }
    }
    Ok(())
}

/// The number of the first condition that applies. `slots` are those of the document.
pub(super) fn applies(
    skips: &[Skip],
    slots: &[Option<Value<'_>>],
    now_ms: i64,
    scratch: &mut Vec<u8>,
) -> Option<usize> {
    skips.iter().position(|skip| skip.all.iter().all(|test| holds(test, &slots[test.slot], now_ms, scratch)))
}

/// Numbers compare by value over all four number types, everything else by type and content. A missing field equals
/// nothing, so `ne` and `not_in` hold for it; what is no instant is neither before one nor behind it.
fn holds(test: &Test, value: &Option<Value<'_>>, now_ms: i64, scratch: &mut Vec<u8>) -> bool {
    let instant = || match test.values.first().map(Literal::value) {
        Some(Value::DateTime(millis)) => millis,
        _ => now_ms,
    };
    let among = |scratch: &mut Vec<u8>| {
        let Some(value) = value else {
            return false;
        };
        scratch.clear();
        // A value that cannot be read is told by its column; here it only equals nothing.
        write_canonical(value, 1, scratch).is_ok() && test.values.iter().any(|literal| literal.canonical == *scratch)
    };
    match test.op {
        Op::Missing => value.is_none(),
        Op::Null => matches!(value, Some(Value::Null | Value::Undefined)),
        Op::Present => !matches!(value, None | Some(Value::Null | Value::Undefined)),
        Op::Eq | Op::In => among(scratch),
        Op::Ne | Op::NotIn => !among(scratch),
        Op::Before => matches!(value, Some(Value::DateTime(millis)) if *millis < instant()),
        Op::NotBefore => matches!(value, Some(Value::DateTime(millis)) if *millis >= instant()),
    }
}
