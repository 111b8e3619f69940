//! Any bytes as a document that is profiled and probed, after and before a sound one.
#![no_main]

use std::sync::Arc;

use isthmus_core::probe::Prober;
use isthmus_core::profile::{Limits, Profiler};
use libfuzzer_sys::fuzz_target;

const SOUND: &[u8] = b"\x0c\0\0\0\x10a\0\x05\0\0\0\0";
const PLAN: &str = r#"{"own": 0, "probes": [
    {"path": ["a"], "forms": ["oid", "hex", "dbref", "value"], "sets": [0]},
    {"path": ["a", "[]", "b"], "forms": ["value"], "sets": [0]}
], "collect": [{"path": ["a"], "set": "a"}]}"#;

fuzz_target!(|data: &[u8]| {
    let mut document = data.to_vec();
    document.resize(document.len().max(5), 0);
    let length = document.len();
    document[..4].copy_from_slice(&(length as u32).to_le_bytes());
    document[length - 1] = 0;
    let limits = Limits { keys: 4, values: 3, sketch: 16, key_bytes: 8, paths: 40, ..Limits::default() };
    let (mut one, mut other) = (Profiler::new(limits), Profiler::new(limits));
    one.read(&[SOUND, &document].concat()).unwrap();
    other.read(&[&document, SOUND].concat()).unwrap();
    one.merge(&mut other).unwrap();
    assert!(one.result().starts_with("{\"documents\":"));
    let mut prober = Prober::new(PLAN, vec![Arc::new(one.ids())]).unwrap();
    prober.read(&document).unwrap();
    assert!(prober.result().starts_with("{\"documents\":"));
    let _ = other.read(data);
});
