//! Builders of BSON for the unit tests.

use crate::bson::Value;

pub(crate) fn string(text: &str) -> Value<'_> {
    Value::String(text.as_bytes())
}

pub(crate) fn document(fields: &[(&[u8], &Value<'_>)]) -> Vec<u8> {
    let mut out = vec![0; 4];
    for (key, value) in fields {
        out.push(value.kind());
        out.extend_from_slice(key);
        out.push(0);
        value.write_raw(&mut out);
    }
    out.push(0);
    let length = (out.len() as u32).to_le_bytes();
    out[..4].copy_from_slice(&length);
    out
}

pub(crate) fn array(values: &[Value<'_>]) -> Vec<u8> {
    let keys: Vec<String> = (0..values.len()).map(|at| at.to_string()).collect();
    let fields: Vec<(&[u8], &Value<'_>)> = keys.iter().map(String::as_bytes).zip(values).collect();
    document(&fields)
}
