"""What is to be taken back, and whether that can be at all, as the mapping and the runs say. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.errors import ConfigError, TargetError
from isthmus.mapping import Mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.references import as_loaded
from isthmus.state.runs import Run
from isthmus.transfer.existing.only import ONLY, chosen
from isthmus.transfer.existing.preflight import is_existing


def collections_of(mapping: Mapping, only: Sequence[str]) -> list[str]:
    """Return the source collections whose rows are taken back, sorted.

    Args:
        mapping: The mapping.
        only: Entries or source collections; empty for all.

    Raises:
        ConfigError: A name is neither (code `no-such-entry`), the tables are Isthmus's own (`undo-created`), or their
            rows are not tracked (`undo-untracked`).
    """
    if not is_existing(mapping):
        raise ConfigError(
            "The tables of this mapping are made by the copy itself (`tables: create`), which keeps no account of their"
            " rows.",
            code="undo-created",
            hint="To have them again from the beginning: isthmus copy --fresh. To be rid of them, drop them.",
        )
    names = sorted(chosen(mapping, compile_plans(as_loaded(mapping)), tuple(only)))
    entries = dict.fromkeys(flow.entry for flow in mapping.flows if flow.collection in names)
    untracked = [entry for entry in entries if mapping.collections[entry].rerun != "tracked"]
    if untracked:
        raise ConfigError(
            f"The rows of {', '.join(untracked)} are not tracked, so nobody knows which of them a copy brought and"
            " which were written to since.",
            code="undo-untracked",
            hint="Say `rerun: tracked` before a copy that may have to be taken back; with --only, name entries that"
            " have it.",
        )
    return names


def refuse_run(run: Run | None) -> None:
    """Raise where the newest run is not complete: its rows may come while others go.

    Raises:
        TargetError: It is not (code `run-unfinished`).
    """
    if run is None or run.stage == "complete":
        return
    only = "".join(f" --only {name}" for name in run.tables.get(ONLY, []))
    raise TargetError(
        f"Run {run.id} of this target is not complete (stage {run.stage}), so nothing can be taken back yet.",
        code="run-unfinished",
        hint=f"Go on with it (the same isthmus copy{only}) until it is complete; then run the same undo again.",
    )


def refuse_other_mapping(run: Run | None, mapping: Mapping, mapping_text: str) -> None:
    """Raise unless the run that carried the rows last did so by this mapping.

    Raises:
        ConfigError: It began with another one (code `mapping-changed`).
    """
    if run is None or mapping.fingerprint in run.fingerprints or mapping_text in run.mapping_texts:
        return
    raise ConfigError(
        f"Run {run.id}, which carried these rows last, began with another mapping."
        f" {run.differs_in_mapping(mapping_text)}",
        code="mapping-changed",
        hint="Take them back with the mapping they were carried with; the target keeps its text: SELECT mapping_text"
        f" FROM isthmus.run WHERE id = {run.id}. Or copy them again with this one first.",
    )
