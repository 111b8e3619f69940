"""One verification from the first look to the kept result: the entry of the package."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime

import psycopg

from isthmus import __version__
from isthmus.connect.postgres import connect, explain
from isthmus.errors import IsthmusError, SourceError
from isthmus.mapping import Mapping
from isthmus.sources.protocol import Source
from isthmus.state.verifications import keep
from isthmus.verify import counts, references, rules, samples, schema, types
from isthmus.verify.checksum.layer import Checksum
from isthmus.verify.checksum.spool import Spool
from isthmus.verify.existing.layer import ExistingTables
from isthmus.verify.oracle import Oracle
from isthmus.verify.result import LAYERS, Layer, LayerResult, Verified
from isthmus.verify.source_facts import SourceFacts
from isthmus.verify.source_reading import Taker, Wanted, read_source
from isthmus.verify.stopping import cancelled_by
from isthmus.verify.subject import Options, Subject, open_subject
from isthmus.work.interrupted import Interrupted
from isthmus.work.progress import Progress

_READS: frozenset[Layer] = frozenset({"counts", "samples", "types", "checksum"})
"""Layers that need the source to be read."""
_NOT_AS_MADE = {"42P01", "42703", "42704", "42883", "42804", "42846", "22P02"}
"""What the server says of tables, columns and types that are not there or are others (PostgreSQL: Appendix A)."""


def verify_database(
    mapping: Mapping,
    source: Source,
    conninfo: str,
    *,
    mapping_name: str = "",
    mapping_text: str = "",
    target_name: str = "",
    options: Options | None = None,
    layers: Sequence[Layer] = LAYERS,
    progress: Progress | None = None,
    stop: threading.Event | None = None,
    result: Verified | None = None,
) -> Verified:
    """Verify a target against its source, and keep the result in `isthmus.verification`.

    Reads both; changes nothing else. The target is seen as it stood at one instant.

    Args:
        mapping: The checked mapping.
        source: Where documents came from; not closed here.
        conninfo: Target, as libpq takes it.
        mapping_name: The mapping's file, for people.
        mapping_text: Its text, to say how it differs from the run's; empty where that need not be said.
        target_name: The target, for people, without secrets.
        options: How to work.
        layers: Which to check, in any order.
        progress: Gets the live numbers.
        stop: Set it to end early; the result then is interrupted and proves nothing.
        result: Gets what was found so far, also when the call raises; None makes one.

    Raises:
        IsthmusError: There is nothing that could be verified, or source or target could not be read; see
            `open_subject`.
    """
    options, progress, stop = options or Options(), progress or Progress(), stop or threading.Event()
    result = result or Verified()
    began, started = time.monotonic(), datetime.now(UTC)
    result.mapping, result.source, result.target = mapping_name, source.name, target_name
    progress.stage("opening")
    with open_subject(mapping, source, conninfo, options, mapping_text) as subject, ExitStack() as stack:
        result.run, subject.progress = subject.run.id, progress
        wanted: list[Layer] = [layer for layer in LAYERS if layer in layers]
        try:
            with cancelled_by(stop, subject.connections):
                _layers(subject, wanted, progress, stop, result, stack)
        except (Interrupted, psycopg.Error, IsthmusError):
            if not stop.is_set():  # the stop cancels statements, and what is cancelled fails
                raise
        result.interrupted = stop.is_set()
        result.seconds = time.monotonic() - began
    with connect(conninfo, autocommit=True) as connection:
        outcome = "interrupted" if result.interrupted else "passed" if result.passed else "failed"
        why = keep(connection, result.run, result.as_json(), started, result.seconds, outcome, __version__)
    if why is not None:
        progress.note(f"The result was not kept in isthmus.verification: {why}.")
    return result


def _layers(
    subject: Subject,
    wanted: Sequence[Layer],
    progress: Progress,
    stop: threading.Event,
    result: Verified,
    stack: ExitStack,
) -> None:
    facts = SourceFacts()
    oracle = Oracle(subject, stack, stop)
    checksum = Checksum(subject, oracle, stack) if "checksum" in wanted and not subject.existing else None
    existing = ExistingTables(subject, oracle, stack) if subject.existing and _READS & set(wanted) else None
    if _READS & set(wanted):

        def takers(collection: str) -> list[Taker]:
            compared = existing or checksum
            mine = compared.takers(collection) if compared is not None else []
            return [*mine, *(oracle.takers(collection) if {"samples", "checksum"} & set(wanted) else ())]

        sample = subject.options.sample if "samples" in wanted else 0
        spools = (stack.enter_context(Spool()), stack.enter_context(Spool())) if sample is None else None
        progress.stage("reading the source")
        facts = read_source(
            subject,
            Wanted(sample, "types" in wanted, takers, spools=spools, adjusted="counts" in wanted and existing is None),
            progress,
            stop,
            existing.carried if existing else None,
        )
        _refuse_broken(facts, wanted)
    work: dict[Layer, Callable[[], LayerResult]] = {
        "counts": lambda: counts.check(subject, facts),
        "samples": lambda: samples.check(subject, facts, oracle),
        "references": lambda: references.check(subject),
        "types": lambda: types.check(subject, facts),
        "rules": lambda: rules.check(subject),
        "schema": lambda: schema.check(subject),
    }
    if checksum is not None:
        work["checksum"] = lambda: checksum.result(stop)
    if existing is not None:
        work |= existing.layers(facts)
    progress.stage("verifying", steps=len(wanted))
    for layer in wanted:
        if stop.is_set():
            raise Interrupted
        progress.step(layer)
        began = time.monotonic()
        found = result.layers[layer] = _looked(subject, layer, work[layer])
        found.seconds = time.monotonic() - began
        progress.step_done()
    if existing is not None:
        existing.share_seconds(result.layers)


def _looked(subject: Subject, layer: Layer, look: Callable[[], LayerResult]) -> LayerResult:
    """Return what a layer found; where the target is not what the layer can look at, that is what it found."""
    try:
        with subject.connection.transaction():
            return look()
    except psycopg.errors.Error as fault:
        if fault.sqlstate not in _NOT_AS_MADE:
            raise
        result = LayerResult(layer)
        why = explain(fault, values=not subject.schema.sensitive)
        result.differs("", "(definitions)", f"The layer could not look at the target: {why}. See the layer schema.")
        return result


def _refuse_broken(facts: SourceFacts, wanted: Sequence[Layer]) -> None:
    """Raise where the source could not be read to its end and no layer will say so."""
    broken = [why for found in facts.collections.values() for why in found.broken]
    if broken and "counts" not in wanted:
        raise SourceError(broken[0], code="source-broken", hint="Mend the source, or give one that can be read.")
