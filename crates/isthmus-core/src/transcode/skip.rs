//! Skip conditions: documents that the mapping leaves out, with a reason.

use crate::bson::Value;
use crate::canonical::write_canonical;
use crate::plan::{Op, Skip, Test};

/// The number of the first condition that applies. `slots` are those of the document.
pub(super) fn applies(skips: &[Skip], slots: &[Option<Value<'_>>], scratch: &mut Vec<u8>) -> Option<usize> {
    skips.iter().position(|skip| skip.all.iter().all(|test| holds(test, &slots[test.slot], scratch)))
}

/// Numbers compare by value over all four number types, everything else by type and content. A missing field equals
/// nothing, so `ne` and `not_in` hold for it.
fn holds(test: &Test, value: &Option<Value<'_>>, scratch: &mut Vec<u8>) -> bool {
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
    }
}
