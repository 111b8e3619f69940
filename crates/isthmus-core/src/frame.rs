//! Where documents start and end in a stream of BSON documents, from their length fields alone.
//!
//! Decides what is still one document; whether its inside is sound is found out when it is read. What the framing
//! says depends on the stream only, never on where a reader happened to cut it.

use crate::bson::Raw;

/// The largest length that is believed: MongoDB's 16 MiB plus the 16 KiB that it grants its own documents.
pub const MAX_DOCUMENT_BYTES: usize = 16_793_600;

/// The length field and the terminator of an empty document.
const MIN_DOCUMENT_BYTES: usize = 5;

/// The whole documents at the start of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frames {
    /// How many whole documents there are.
    pub documents: usize,
    /// Offset after the last whole document.
    pub end: usize,
    /// Why nothing after `end` can be framed (a full sentence), and where that document starts.
    pub broken: Option<(&'static str, usize)>,
    /// Bytes that must follow `end` before the next document can be judged; 0 when they are not known.
    pub needed: usize,
}

impl Frames {
    /// Takes the last document, which starts at `start`, out of the whole ones.
    fn step_back(&mut self, start: usize) {
        let length = self.end - start;
        self.documents -= 1;
        self.end = start;
        match &mut self.broken {
            Some(broken) => *broken = (LYING, start),
            None => self.needed = length + self.needed.max(4),
        }
    }
}

fn length_at(data: &[u8], at: usize) -> Option<usize> {
    let head = data.get(at..)?.first_chunk::<4>()?;
    Some(u32::from_le_bytes(*head) as usize)
}

fn plausible(length: usize) -> bool {
    (MIN_DOCUMENT_BYTES..=MAX_DOCUMENT_BYTES).contains(&length)
}

enum Step {
    Whole(usize),
    Unfinished(usize),
    Broken(&'static str),
}

const TRUNCATED: &str = "The data ends inside a document: it is truncated.";
const LYING: &str = "A document does not hold together, and at its end no other document begins: its length is wrong.";
const NO_TERMINATOR: &str = "A document does not end with a zero byte, and what follows is not a document.";

fn step(data: &[u8], at: usize, is_final: bool) -> Step {
    let unfinished = |needed| if is_final { Step::Broken(TRUNCATED) } else { Step::Unfinished(needed) };
    let Some(length) = length_at(data, at) else {
        return unfinished(0);
    };
    if length < MIN_DOCUMENT_BYTES {
        return Step::Broken("A document claims to be shorter than the 5 bytes of an empty one.");
    }
    if length > MAX_DOCUMENT_BYTES {
        return Step::Broken("A document claims to be longer than the 16,793,600 bytes that MongoDB allows.");
    }
    let end = at + length;
    if end > data.len() {
        return unfinished(length);
    }
    if data[end - 1] == 0 || (is_final && end == data.len()) {
        return Step::Whole(end);
    }
    // The terminator is wrong: the length is believed only if it leads to another document.
    match length_at(data, end) {
        Some(next) if !plausible(next) => Step::Broken(NO_TERMINATOR),
        Some(next) if end + next <= data.len() => Step::Whole(end),
        Some(next) if !is_final => Step::Unfinished(length + next),
        None if !is_final => Step::Unfinished(length + 4),
        _ => Step::Broken(NO_TERMINATOR),
    }
}

/// Frames as many whole documents as `data` holds; `data` must start where a document starts.
///
/// With `is_final` no more bytes follow, and an unfinished document is broken. A document whose last byte is not 0
/// is still framed (reading it will reject it) when the next length leads to a document inside the data or when it
/// ends the stream; before that can be seen it counts as unfinished. A document that does not hold together, with
/// nothing behind it that can be framed, is where the break begins: its length is what lies. So it too counts as
/// unfinished until its successor can be seen.
#[must_use]
pub fn frame(data: &[u8], is_final: bool) -> Frames {
    let mut frames = Frames { documents: 0, end: 0, broken: None, needed: 0 };
    let mut last = 0;
    while frames.end < data.len() {
        match step(data, frames.end, is_final) {
            Step::Whole(end) => {
                frames.documents += 1;
                last = frames.end;
                frames.end = end;
            }
            Step::Unfinished(needed) => {
                frames.needed = needed;
                break;
            }
            Step::Broken(reason) => {
                frames.broken = Some((reason, frames.end));
                break;
            }
        }
    }
    let settled = is_final && frames.broken.is_none();
    if frames.documents > 0 && !settled && !is_sound(&data[last..frames.end]) {
        frames.step_back(last);
    }
    frames
}

fn is_sound(document: &[u8]) -> bool {
    Raw::new(document).and_then(|raw| raw.validate()).is_ok()
}

/// Follows length fields from `start` without looking at anything else.
///
/// Returns the offset of the first document that starts at or beyond the end of `data`, or whose length is
/// implausible or cut off, and the number of documents hopped over. The last one may reach beyond `data`.
#[must_use]
pub fn hop(data: &[u8], start: usize) -> (usize, usize) {
    let (mut at, mut documents) = (start, 0);
    while let Some(length) = length_at(data, at) {
        if !plausible(length) {
            break;
        }
        at += length;
        documents += 1;
    }
    (at, documents)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: [u8; 5] = [5, 0, 0, 0, 0];
    const UNENDED: [u8; 5] = [5, 0, 0, 0, 7];

    fn joined(parts: &[&[u8]]) -> Vec<u8> {
        parts.concat()
    }

    fn whole(documents: usize, end: usize) -> Frames {
        Frames { documents, end, broken: None, needed: 0 }
    }

    #[test]
    fn frame_of_whole_documents_counts_them() {
        assert_eq!(frame(&[], true), whole(0, 0));
        assert_eq!(frame(&joined(&[&EMPTY, &EMPTY]), true), whole(2, 10));
        assert_eq!(frame(&joined(&[&EMPTY, &EMPTY]), false), whole(2, 10));
    }

    #[test]
    fn frame_of_an_unfinished_document_says_what_is_needed_or_that_it_is_truncated() {
        let data = joined(&[&EMPTY, &[9, 0, 0, 0, 10]]);
        assert_eq!(frame(&data, false), Frames { needed: 9, ..whole(1, 5) });
        assert_eq!(frame(&data, true), Frames { broken: Some((TRUNCATED, 5)), ..whole(1, 5) });
        assert_eq!(frame(&joined(&[&EMPTY, &[9, 0]]), false), whole(1, 5));
        assert_eq!(frame(&joined(&[&EMPTY, &[9, 0]]), true).broken, Some((TRUNCATED, 5)));
    }

    #[test]
    fn frame_steps_back_over_a_document_whose_length_lies() {
        // {"a": 1} whose length says two bytes less: it ends on a zero byte of the integer
        let lying = [10, 0, 0, 0, 0x10, b'a', 0, 1, 0, 0, 0, 0];
        let data = joined(&[&EMPTY, &lying, &EMPTY]);
        let found = frame(&data, true);
        assert_eq!((found.documents, found.end, found.broken), (1, 5, Some((LYING, 5))));
        // cut behind the lying document nothing is decided yet: it waits for its successor
        let cut = frame(&data[..15], false);
        assert_eq!((cut.documents, cut.end, cut.broken, cut.needed), (1, 5, None, 14));
        // with a document behind it, it is framed, and reading it rejects it
        let followed = joined(&[&lying[..10], &EMPTY]);
        assert_eq!(frame(&followed, true), whole(2, 15));
    }

    #[test]
    fn frame_of_an_implausible_length_is_broken_there() {
        for length in [0u32, 4, 16_793_601, u32::MAX] {
            let data = joined(&[&EMPTY, &length.to_le_bytes(), &[0; 20]]);
            for is_final in [false, true] {
                let frames = frame(&data, is_final);
                assert_eq!((frames.documents, frames.end), (1, 5));
                assert_eq!(frames.broken.unwrap().1, 5);
            }
        }
        let largest = joined(&[&16_793_600u32.to_le_bytes(), &[0; 4]]);
        assert_eq!(frame(&largest, false).needed, MAX_DOCUMENT_BYTES);
    }

    #[test]
    fn frame_of_a_wrong_terminator_believes_a_length_that_leads_to_a_document() {
        assert_eq!(frame(&joined(&[&UNENDED, &EMPTY]), true), whole(2, 10));
        assert_eq!(frame(&joined(&[&UNENDED, &EMPTY]), false), whole(2, 10));
        assert_eq!(frame(&UNENDED, true), whole(1, 5));
        assert_eq!(frame(&joined(&[&UNENDED, &[3, 0, 0, 0]]), false).broken, Some((NO_TERMINATOR, 0)));
        assert_eq!(frame(&joined(&[&UNENDED, &[3]]), true).broken, Some((NO_TERMINATOR, 0)));
        assert_eq!(frame(&joined(&[&UNENDED, &[9, 0, 0, 0, 0]]), true).broken, Some((NO_TERMINATOR, 0)));
    }

    #[test]
    fn frame_of_a_wrong_terminator_does_not_depend_on_the_cut() {
        assert_eq!(frame(&UNENDED, false), Frames { needed: 9, ..whole(0, 0) });
        assert_eq!(frame(&joined(&[&UNENDED, &[9, 0, 0, 0, 0]]), false), Frames { needed: 14, ..whole(0, 0) });
    }

    #[test]
    fn hop_lands_on_the_first_document_beyond_the_data() {
        let data = joined(&[&EMPTY, &EMPTY, &[100, 0, 0, 0, 0]]);
        assert_eq!(hop(&data, 0), (110, 3));
        assert_eq!(hop(&data, 5), (110, 2));
        assert_eq!(hop(&data[..10], 0), (10, 2));
        assert_eq!(hop(&data[..12], 0), (10, 2));
        assert_eq!(hop(&data, 99), (99, 0));
        assert_eq!(hop(&data, usize::MAX), (usize::MAX, 0));
        assert_eq!(hop(&[1, 0, 0, 0], 0), (0, 0));
    }
}
