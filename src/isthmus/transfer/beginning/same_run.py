"""Whether the run that a target holds is the one that is asked for: the same mapping and the same source."""

from __future__ import annotations

from isthmus.errors import ConfigError, SourceError
from isthmus.mapping import Mapping
from isthmus.sources.protocol import Source
from isthmus.state.runs import Run
from isthmus.transfer.balance import balance_from_json


def refuse_other(run: Run, mapping: Mapping, mapping_text: str, source: Source | None) -> None:
    """Raise unless mapping and source are the ones the run began with.

    A mapping with which dead letters of the run were retried will do as well.

    Args:
        run: The run of the target.
        mapping: The mapping that is given now.
        mapping_text: Its file's text, to say what differs.
        source: The source that is given now; None asks about the mapping alone.

    Raises:
        ConfigError: Another mapping (code `mapping-changed`).
        SourceError: Another source (code `source-differs`).
    """
    if mapping.fingerprint not in run.fingerprints:
        raise ConfigError(
            f"Run {run.id} of this target began with another mapping. {run.differs_in_mapping(mapping_text)}",
            code="mapping-changed",
            hint=f"Go on with the mapping it began with{_retry(run)}, or start over with --fresh ({_dropped(run)}).",
        )
    if source is not None:
        refuse_other_source(run, source)


def refuse_other_source(run: Run, source: Source) -> None:
    """Raise unless a source is the one the run began with.

    Raises:
        SourceError: It is another one (code `source-differs`).
    """
    told = run.differs_from(source.identity())
    if told is not None:
        raise SourceError(
            f"Run {run.id} of this target began with another source ({told}).",
            code="source-differs",
            hint=f"Go on with that source, or start over with --fresh ({_dropped(run)}).",
        )


def _retry(run: Run) -> str:
    """Return what else can be done when a run left dead letters; they can be answered when it is complete."""
    if run.stage != "complete" or run.balance is None or not balance_from_json(run.balance).dead_letters:
        return ""
    return "; if only what becomes of values changed: isthmus letters retry MAPPING --target TARGET"


def _dropped(run: Run) -> str:
    """Return what starting over does to the tables of a run."""
    if "delivers" not in run.tables:
        return "it drops what the run made"
    return "it drops what the run had loaded, and never a table that is not its own; rows that were delivered stay"
