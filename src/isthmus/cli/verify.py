"""`isthmus verify`: hold what a copy made against the source it was made from."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from isthmus.cli.options import (
    DEFAULT_WORKERS,
    BothWorkersOption,
    DatabaseOption,
    HtmlOption,
    IgnoreOplogOption,
    JsonOption,
    MappingArgument,
    ReadTargetOption,
    RetrySecondsOption,
    SourceOption,
    check_sample,
)

if TYPE_CHECKING:
    from isthmus.errors import IsthmusError
    from isthmus.verify.report.accounted import Account
    from isthmus.verify.result import Layer, Verified


def verify(
    mapping: MappingArgument,
    source: SourceOption,
    target: ReadTargetOption,
    db: DatabaseOption = None,
    ignore_oplog: IgnoreOplogOption = False,
    layers: Annotated[
        str | None,
        typer.Option(
            "--layers",
            metavar="NAME,…",
            help="Ask these layers only: counts, samples, references, types, rules, schema, checksum.",
            show_default="all seven",
        ),
    ] = None,
    sample: Annotated[
        str,
        typer.Option(
            "--sample",
            metavar="N",
            callback=check_sample,
            help="Documents of each collection that the layer samples converts a second time, or all.",
        ),
    ] = "100",
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="Chooses the sample: the same seed, the same documents.")
    ] = 0,
    workers: BothWorkersOption = DEFAULT_WORKERS,
    retry_seconds: RetrySecondsOption = 60.0,
    html: HtmlOption = None,
    json_file: JsonOption = None,
) -> int:
    """Prove that TARGET holds what SOURCE says: seven layers, each of which can fail.

    Reads both, and writes nothing but the result, to isthmus.verification in the target. MAPPING is the one the target
    was copied with. Dead letters, orphans, rows that were kept and values changed on the way are accounted for: they
    are in the run's ledgers, and no differences.

    The JSON: run, outcome (passed, partly, failed, interrupted), exit_code, layers (of each: outcome, checked, unit,
    differences, columns, notes, lacking, seconds), differences (layer, table, id, path, expected, actual, message; at
    most 1,000 a layer), accounted (numbers) and became (what values became that the mapping replaces or fills in, with
    how often). Partly: nothing differs, but a layer could not look at all it is there for, such as one that needs
    temporary tables where the role may make none; it is then not called verified.

    Exit codes: 0 nothing differs, 1 something does, 2 usage or mapping, 3 source, 4 target, 130 stopped by Ctrl-C,
    SIGTERM or SIGHUP (a lost terminal); then nothing is proven.
    """
    from isthmus.cli.bars import ProgressView
    from isthmus.cli.findings import failed_json, writing_refusals
    from isthmus.cli.interrupt import stop_on_signals, tidied_before_leaving
    from isthmus.cli.opening import open_waiting
    from isthmus.cli.output import err, result_console, show_lost_output, write_json
    from isthmus.cli.result_files import is_written
    from isthmus.cli.streams import reader_left
    from isthmus.cli.target import telling_trouble
    from isthmus.cli.verified import show_verified
    from isthmus.connect.target import open_target
    from isthmus.mapping import load_mapping
    from isthmus.mapping.tables import build_schema
    from isthmus.verify.report.accounted import accounts_json, became_json
    from isthmus.verify.result import Verified
    from isthmus.verify.run import verify_database
    from isthmus.verify.subject import Options
    from isthmus.work.progress import Progress

    result, begun, shown_target = Verified(mapping=mapping.name), datetime.now(UTC), ""

    def as_json(accounts: list[Account]) -> dict[str, Any]:
        return {
            **result.as_json(),
            "exit_code": exit_code(result),
            "started_at": begun.isoformat(),
            "accounted": accounts_json(accounts),
            "became": became_json(accounts),
        }

    def write_page(accounts: list[Account], fault: IsthmusError | None = None) -> None:
        _write_page(html, result, accounts, shown_target, begun, _asked(sample, seed, layers), fault)

    with writing_refusals(
        json_file, lambda fault: {**as_json([]), **failed_json(fault)}, lambda fault: write_page([], fault)
    ):
        wanted = read_layers(layers)
        checked = load_mapping(mapping)
        mapping_text = mapping.read_text(encoding="utf-8")
        progress = Progress()
        view = ProgressView(progress)
        opening = open_waiting(source, database=db, ignore_oplog=ignore_oplog, seconds=retry_seconds, progress=progress)
        with (
            closing(opening) as opened,
            open_target(target) as address,
            tidied_before_leaving(address.close),
            stop_on_signals(err, "stopping") as stop,
        ):
            shown_target = address.display
            schemas, values = ["isthmus", checked.target.schema_name], not build_schema(checked).sensitive
            with view, telling_trouble(address.conninfo, schemas, values=values):
                verify_database(
                    checked,
                    opened,
                    address.conninfo,
                    mapping_name=mapping.name,
                    mapping_text=mapping_text,
                    target_name=address.display,
                    options=Options(
                        workers=workers,
                        sample=None if sample == "all" else int(sample),
                        retry_seconds=retry_seconds,
                        seed=seed,
                    ),
                    layers=wanted,
                    progress=progress,
                    stop=stop,
                    result=result,
                )
            accounts = _accounts(address.conninfo)
        write_page(accounts)
        # Colours, width and folding are the console's; what is told is the same everywhere.
        files = [str(html)] if html is not None else []
        files += [] if json_file is None else ["the JSON" if json_file == "-" else str(json_file)]
        show_verified(result_console(json_file), result, accounts, shown_target, sampled=sample != "all", files=files)
        write_json(as_json(accounts), json_file)
    if html is not None and is_written(html):
        err.print(f"The page is in {html}.", markup=False, soft_wrap=True)
    if json_file == "-" and reader_left():  # who asks for the result as JSON must not take its absence for a result
        return max(exit_code(result), show_lost_output())
    return exit_code(result)


def exit_code(result: Verified) -> int:
    """Return the exit code of a verification that was not ended by an error."""
    if result.interrupted:
        return 130
    return 0 if result.passed else 1


def read_layers(text: str | None) -> tuple[Layer, ...]:
    """Return the layers that a text names, separated by commas, in their own order; all for None.

    Raises:
        ConfigError: One of them does not exist, or none is named (code `unknown-layer`).
    """
    from isthmus.errors import ConfigError
    from isthmus.sources.nearest import nearest
    from isthmus.sources.shown import shown
    from isthmus.verify.result import LAYERS

    if text is None:
        return LAYERS
    names = [name for name in (part.strip().casefold() for part in text.split(",")) if name]
    for name in names:
        if name not in LAYERS:
            near = nearest(name, LAYERS)
            meant = f"Did you mean {near}? " if near else ""
            raise ConfigError(
                f"There is no layer {shown(name)}.",
                code="unknown-layer",
                hint=f"{meant}The layers are {', '.join(LAYERS)}.",
            )
    if not names:
        raise ConfigError(
            "--layers names no layer.",
            code="unknown-layer",
            hint=f"The layers are {', '.join(LAYERS)}; leave --layers out to ask all of them.",
        )
    return tuple(layer for layer in LAYERS if layer in names)


def _accounts(conninfo: str) -> list[Account]:
    """Return what the run's ledgers account for."""
    from isthmus.connect.postgres import connect
    from isthmus.state.reports import require_run
    from isthmus.verify.report.accounted import accounts_of

    with connect(conninfo, autocommit=True) as connection:
        return accounts_of(connection, require_run(connection))


def _asked(sample: str, seed: int, layers: str | None) -> list[str]:
    """Return how a verification was asked, for its page."""
    return [f"--sample {sample}", f"--seed {seed}", *([f"--layers {layers}"] if layers is not None else [])]


def _write_page(
    path: Path | None,
    result: Verified,
    accounts: list[Account],
    target: str,
    begun: datetime,
    asked: list[str],
    fault: IsthmusError | None = None,
) -> None:
    """Write the page, if one is wanted; the page of an earlier verification must not be taken for this one's."""
    if path is None:
        return
    from isthmus import __version__
    from isthmus.cli.result_files import write_result
    from isthmus.connect.secrets import hide
    from isthmus.verify.report.html import verification_page

    text = verification_page(
        result,
        accounts=accounts,
        target=target,
        started_at=begun,
        version=__version__,
        asked=asked,
        error=hide(str(fault)) if fault is not None else "",
        hint=hide(fault.hint or "") if fault is not None else "",
    )
    write_result(path, text)
