//! Any bytes as a document that is written as Extended JSON.
#![no_main]

use isthmus_core::bson::Raw;
use isthmus_core::extended::extended_json;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut document = data.to_vec();
    document.resize(document.len().max(5), 0);
    let length = document.len();
    document[..4].copy_from_slice(&(length as u32).to_le_bytes());
    document[length - 1] = 0;
    let raw = Raw::new(&document).unwrap();
    let hidden = [vec!["a".to_owned(), "b".to_owned()]];
    let sound = raw.validate().is_ok();
    assert_eq!(extended_json(raw, &hidden).is_ok(), sound);
});
