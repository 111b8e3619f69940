//! Any bytes as a stream of documents, whole and cut.
#![no_main]

use isthmus_core::frame::{frame, hop};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let (at, data) = match data.split_first() {
        Some((first, rest)) => (usize::from(*first), rest),
        None => (0, data),
    };
    for is_final in [false, true] {
        let frames = frame(data, is_final);
        assert!(frames.end <= data.len());
        // What is framed is framed the same when nothing follows it.
        assert_eq!(frame(&data[..frames.end], true).end, frames.end);
    }
    let (_, _) = hop(data, at);
});
