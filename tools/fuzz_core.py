"""Feeds damaged documents to the core until the time is over; stops at the first one it does not stand.

    python -m tools.fuzz_core SECONDS [SEED]

The documents are those of the shipped sample, damaged by one to four small changes, in blocks together with sound ones.
Held against every block:

* nothing panics (the binding turns a panic into `InternalError`), hangs for a minute or ends the process;
* every document is accepted, skipped or rejected, and the codes of rejects are known ones;
* a sound document fares as it does alone, whatever its neighbours are.

Cannot see: wrong values in accepted rows (the oracle judges those). A block that fails is kept under build/crashes with
the seed that made it; make a test of it.
"""

from __future__ import annotations

import faulthandler
import gzip
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random

from isthmus import demo
from isthmus._rust import IdCodec, Transcoder, compare_ids, extended_json, frame, hop, source_id
from isthmus.cli.letter_codes import REJECTS
from isthmus.errors import InternalError, IsthmusError
from isthmus.mapping import load_mapping
from isthmus.mapping.plan import compile_plans

CRASHES = Path("build") / "crashes"
KNOWN_CODES = {reject.code for reject in REJECTS}
KEY = bytes(range(32))
# Bytes at which formats go wrong: ends, signs, type bytes of BSON, the borders of UTF-8.
TELLING = bytes([0, 1, 2, 3, 4, 5, 7, 8, 9, 0x10, 0x11, 0x12, 0x13, 0x7F, 0x80, 0xBF, 0xC0, 0xED, 0xF4, 0xFE, 0xFF])
LENGTHS = (0, 1, 4, 5, 0x7F, 0x100, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
HANG_SECONDS = 60


class Fell(Exception):  # noqa: N818 - an outcome
    """A law of this page was broken; the text says which."""


@dataclass(frozen=True)
class Sample:
    """One collection of the sample: its documents, and the core ready to carry them."""

    name: str
    documents: list[bytes]
    transcoder: Transcoder


def samples() -> list[Sample]:
    """Read the collections that the sample's mapping carries."""
    found: list[Sample] = []
    for name, plan in compile_plans(load_mapping(demo.MAPPING)).items():
        plain, compressed = demo.DUMP / f"{name}.bson", demo.DUMP / f"{name}.bson.gz"
        data = plain.read_bytes() if plain.exists() else gzip.decompress(compressed.read_bytes())
        documents: list[bytes] = []
        while data:
            length = int.from_bytes(data[:4], "little")
            documents.append(data[:length])
            data = data[length:]
        found.append(Sample(name, documents, Transcoder(plan, KEY, 1_700_000_000_000_000)))
    return found


def damage(document: bytes, other: bytes, rng: Random) -> bytes:
    """Return the document with one to four changes, and, mostly, with an outer length and end that fit again."""
    data = bytearray(document)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(4, max(5, len(data)))
        kind = rng.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([rng.choice(TELLING)])
        elif kind == 1:
            data[at : at + 4] = rng.choice(LENGTHS).to_bytes(4, "little")
        elif kind == 2:
            del data[at : at + rng.randint(1, 9)]
        elif kind == 3:
            start = rng.randrange(len(other))
            data[at:at] = other[start : start + rng.randint(1, 40)]
        elif kind == 4:
            data[at : at + 8] = rng.randbytes(8)
        else:
            data[at : at + 1] = bytes([data[min(at, len(data) - 1)] ^ (1 << rng.randrange(8))])
    if rng.random() < 0.9 and len(data) >= 5:
        data[:4] = len(data).to_bytes(4, "little")
        data[-1] = 0
    return bytes(data)


def fate(sample: Sample, document: bytes) -> str:
    """Carry one document alone: `accepted`, `skipped`, or the code of its first cause."""
    batch = sample.transcoder.transcode(document)
    if batch.rejects:
        return batch.rejects[0].causes[0].code
    return "skipped" if batch.skipped else "accepted"


def hold(sample: Sample, block: list[tuple[bytes, bool]]) -> None:
    """Hold the laws against one block of documents, each with whether it is sound.

    Raises:
        Fell: A law is broken.
        InternalError: The core panicked.
    """
    data = b"".join(document for document, _ in block)
    frames = frame(data, final=True)
    if not 0 <= frames.end <= len(data):
        raise Fell(f"frame ends at {frames.end} of {len(data)}")
    hop(data, 0)
    try:
        batch = sample.transcoder.transcode(data)
    except InternalError:
        raise
    except IsthmusError:
        # Lengths that do not add up: the block is refused as a whole, what the frame found whole is carried.
        batch = sample.transcoder.transcode(data[: frames.end])
    if batch.documents != batch.accepted + batch.skipped + len(batch.rejects):
        raise Fell(f"{batch.documents} documents, {batch.accepted} + {batch.skipped} + {len(batch.rejects)}")
    unknown = {cause.code for reject in batch.rejects for cause in reject.causes} - KNOWN_CODES
    if unknown:
        raise Fell(f"unknown codes {sorted(unknown)}")
    for table in range(len(batch.tables)):
        if len(bytes(batch.copy_data(table))) != batch.size(table):
            raise Fell(f"table {table} is shorter than its size")
    if frames.broken is None and frames.documents == len(block):
        hold_neighbours(sample, block, {reject.document: reject.causes[0].code for reject in batch.rejects})
    for document, _ in block:
        try_alone(document)


def hold_neighbours(sample: Sample, block: list[tuple[bytes, bool]], codes: dict[int, str]) -> None:
    """Hold that a sound document is rejected, or not, as it is alone."""
    # A damaged length may move the borders between documents; then there are no neighbours to compare.
    if any(int.from_bytes(document[:4], "little") != len(document) for document, _ in block):
        return
    for number, (document, sound) in enumerate(block):
        alone = fate(sample, document) if sound else ""
        if sound and alone != codes.get(number, alone if alone in {"accepted", "skipped"} else ""):
            raise Fell(f"document {number} is {codes.get(number)} among others and {alone} alone")


def try_alone(document: bytes) -> None:
    """Give one document to every function that takes one; a named error is a good answer."""
    codec = IdCodec(KEY)
    for call in (
        lambda: extended_json(document),
        lambda: source_id(document),
        lambda: codec.derive("C", document, "uuid"),
        lambda: compare_ids(document, document),
    ):
        try:
            call()
        except InternalError:
            raise
        except IsthmusError:
            pass


def make_block(sample: Sample, rng: Random) -> list[tuple[bytes, bool]]:
    """Choose one to eight documents and damage about half of them."""
    block: list[tuple[bytes, bool]] = []
    for _ in range(rng.randint(1, 8)):
        document = rng.choice(sample.documents)
        sound = rng.random() < 0.5
        block.append((document if sound else damage(document, rng.choice(sample.documents), rng), sound))
    return block


def main(seconds: float, first_seed: int) -> int:
    """Try seed after seed until the time is over; the exit code is 1 if one fell."""
    collections = samples()
    end = time.monotonic() + seconds
    seed = first_seed
    while time.monotonic() < end:
        rng = Random(seed)  # noqa: S311 - repeatable on purpose
        sample = rng.choice(collections)
        block = make_block(sample, rng)
        faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
        try:
            hold(sample, block)
        except (Fell, InternalError) as fault:
            CRASHES.mkdir(parents=True, exist_ok=True)
            kept = CRASHES / f"{sample.name}-{seed}.bson"
            kept.write_bytes(b"".join(document for document, _ in block))
            print(f"seed {seed}, collection {sample.name}: {fault}\nkept as {kept}", file=sys.stderr)
            return 1
        finally:
            faulthandler.cancel_dump_traceback_later()
        seed += 1
    print(f"isthmus: {seed - first_seed:,} blocks of damaged documents, seeds {first_seed} to {seed - 1}; none fell")
    return 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else time.time_ns() // 1_000_000))
