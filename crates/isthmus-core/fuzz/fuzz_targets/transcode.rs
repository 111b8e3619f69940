//! Any bytes as one document through a plan that uses every kind of column, every role and every policy.
#![no_main]

use std::collections::HashMap;
use std::sync::OnceLock;

use isthmus_core::plan::TableKind;
use isthmus_core::transcode::Transcoder;
use libfuzzer_sys::fuzz_target;

static TRANSCODER: OnceLock<Transcoder> = OnceLock::new();

fuzz_target!(|data: &[u8]| {
    let transcoder = TRANSCODER.get_or_init(|| {
        Transcoder::new(include_str!("../plan.json"), &[7; 32], 1_700_000_000_123_456, &HashMap::new()).unwrap()
    });
    // The length field is made right, or nearly every input would end at it.
    let mut block = data.to_vec();
    block.resize(block.len().max(5), 0);
    let length = (block.len() as u32).to_le_bytes();
    block[..4].copy_from_slice(&length);
    let batch = transcoder.transcode(&block).unwrap();
    assert_eq!(batch.documents, batch.accepted + batch.skipped + batch.rejects.len());
    let tables = transcoder.plan().tables.iter().zip(&batch.rows);
    let roots = tables.filter(|(table, _)| table.kind == TableKind::Root).map(|(_, rows)| *rows as usize);
    assert_eq!(roots.sum::<usize>(), batch.accepted);
    assert!(batch.accepted > 0 || batch.outputs.iter().all(Vec::is_empty));
});
