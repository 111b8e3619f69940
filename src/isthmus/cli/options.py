"""Arguments and options that several commands share, each declared once."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from isthmus.cli.log_file import refusal_to_add
from isthmus.cli.result_files import refusal_to_write

MappingArgument = Annotated[
    Path, typer.Argument(metavar="MAPPING", envvar="ISTHMUS_MAPPING", help="The mapping file (YAML).")
]
SourceOption = Annotated[
    str,
    typer.Option(
        "--source",
        "-s",
        envvar="MONGODB_URI",
        metavar="SOURCE",
        help="Where to read: mongodb://HOST/DATABASE, a mongodump folder or archive, or JSON of mongoexport."
        " MONGODB_URI_FILE may name a file that holds the address.",
        show_default=False,
    ),
]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--db", envvar="ISTHMUS_DB", metavar="NAME", help="Which database, when SOURCE holds several."),
]
IgnoreOplogOption = Annotated[
    bool,
    typer.Option(
        "--ignore-oplog",
        help="Read a dump that holds an oplog without it: each collection as it was when it was dumped. Otherwise such"
        " a dump is refused, for its collections fit together only with the changes in the oplog.",
    ),
]


def _target(purpose: str) -> Any:
    """Return the option --target; typer's option information has no public type."""
    return typer.Option(
        "--target",
        "-t",
        envvar="DATABASE_URL",
        metavar="TARGET",
        help=f"{purpose}: postgresql://… or embedded:DIR. DATABASE_URL_FILE may name a file that holds the address.",
        show_default=False,
    )


TargetOption = Annotated[str, _target("Where to write")]
ReadTargetOption = Annotated[str, _target("Where to read the run from")]
LookTargetOption = Annotated[str, _target("Where to look")]


def _check_results(context: typer.Context, target: str | Path | None, other: str | Path | None) -> None:
    """Refuse a file that cannot be written, or that is to hold another result, too: before the work, not after it.

    Raises:
        typer.BadParameter: It is so.
    """
    if target is None:
        return
    why = refusal_to_write(Path(target))
    if why is not None:
        raise typer.BadParameter(why)
    if other is not None and os.path.realpath(target) == os.path.realpath(other):
        raise typer.BadParameter(f"{target} cannot hold both the JSON and the page: name two files.", context)


def _check_json(context: typer.Context, target: str | None) -> str | None:
    _check_results(context, None if target == "-" else target, context.params.get("html"))
    _check_apart(context, context.params.get("log"), target)
    return target


def _check_apart(context: typer.Context, log: Path | None, json_file: str | None) -> None:
    """Refuse one file for the log and the JSON; of the two options the one that is read last finds both.

    Raises:
        typer.BadParameter: It is so.
    """
    if log is not None and json_file is not None and os.path.realpath(log) == os.path.realpath(json_file):
        raise typer.BadParameter(f"{log} cannot hold both the JSON and the log: name two files.", context)


def _check_html(context: typer.Context, path: Path | None) -> Path | None:
    _check_results(context, path, context.params.get("json_file"))
    return path


def check_output(path: Path | None) -> Path | None:
    """Return a file to write to as it was given, for an option's callback.

    Raises:
        typer.BadParameter: It cannot be written.
    """
    why = refusal_to_write(path) if path is not None else None
    if why is not None:
        raise typer.BadParameter(why)
    return path


JsonOption = Annotated[
    str | None,
    typer.Option(
        "--json",
        metavar="FILE",
        help="Write the result as JSON to FILE, or - for standard output.",
        callback=_check_json,
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html", metavar="FILE", help="Write a page to FILE that opens without network.", callback=_check_html
    ),
]
RetrySecondsOption = Annotated[
    float,
    typer.Option(
        "--retry-seconds",
        envvar="ISTHMUS_RETRY_SECONDS",
        min=0,
        metavar="SECONDS",
        help="How long to wait for a server that is away.",
    ),
]


def _workers(purpose: str) -> Any:
    """Return the option --workers; as with `_target`."""
    return typer.Option(
        "--workers",
        "-w",
        envvar="ISTHMUS_WORKERS",
        min=1,
        max=64,
        metavar="N",
        help=purpose,
        show_default="one a processor, at most 4",
    )


DEFAULT_WORKERS = min(4, os.cpu_count() or 1)
WorkersOption = Annotated[int, _workers("Threads, one connection each.")]
ReadWorkersOption = Annotated[int, _workers("Threads that read.")]
BothWorkersOption = Annotated[int, _workers("Threads that read the source, and connections that read the target.")]


def _check_log(context: typer.Context, path: Path | None) -> Path | None:
    """Refuse a log that cannot be added to, or that is to hold the JSON as well.

    Raises:
        typer.BadParameter: It is so.
    """
    if path is None:
        return None
    why = refusal_to_add(path)
    if why is not None:
        raise typer.BadParameter(why)
    _check_apart(context, path, context.params.get("json_file"))
    return path


LogOption = Annotated[
    Path | None,
    typer.Option(
        "--log",
        envvar="ISTHMUS_LOG",
        metavar="FILE",
        callback=_check_log,
        help="Add to FILE, as lines of JSON: stages, notes, errors with their stack, and each document that could not"
        " be carried, with its causes. Sensitive fields are hidden; documents stay in the target.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="FILE", help="Write there instead of standard output.", callback=check_output
    ),
]
SensitiveOption = Annotated[
    bool, typer.Option("--show-sensitive", help="Show also the fields that the mapping calls sensitive.")
]
RunOption = Annotated[
    int | None,
    typer.Option(
        "--run",
        min=1,
        max=2**63 - 1,
        metavar="N",
        help="Only what this run left, also where a later one carried the collection again.",
        show_default=False,
    ),
]
OpenOption = Annotated[bool, typer.Option("--open", help="Only those that nobody has acknowledged.")]

IdKeyOption = Annotated[
    Path | None,
    typer.Option(
        "--id-key",
        envvar="ISTHMUS_ID_KEY_FILE",
        metavar="FILE",
        help="Derive ids with this key (isthmus ids export --key), not a new one.",
    ),
]
ResolutionsOption = Annotated[
    Path | None,
    typer.Option(
        "--resolutions",
        envvar="ISTHMUS_RESOLUTIONS",
        metavar="FILE",
        help="What people answered about identities; else resolutions.yaml beside the mapping, where there is one.",
        show_default=False,
    ),
]


def check_sample(text: str) -> str:
    """Return a number of documents, or `all`, as it was given, for the option's callback.

    Raises:
        typer.BadParameter: It is neither.
    """
    if text != "all" and not (text.isdecimal() and int(text) > 0):
        raise typer.BadParameter(f"{text!r} is neither a number from 1 nor all.")
    return text


_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


def check_size(text: str) -> str:
    """Return a size as it was given, for an option's callback: its refusal names the option.

    Raises:
        typer.BadParameter: It is no size.
    """
    parse_size(text)
    return text


def parse_size(text: str) -> int:
    """Return bytes from a size such as `192M`, `192MiB`, `1g` or `1048576`; units are powers of 1,024.

    Raises:
        typer.BadParameter: It is no size.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?\s*", text, re.IGNORECASE)
    if match is None:
        raise typer.BadParameter(f"{text!r} is no size; write for example 192M.")
    return int(float(match[1]) * _UNITS[match[2].lower()])


def read_key(path: Path) -> bytes:
    """Return the 32 bytes of a key file: 64 hex digits.

    Raises:
        ConfigError: It is none (code `bad-id-key`).
    """
    from isthmus.errors import ConfigError

    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError) as fault:
        raise ConfigError(f"The key file {path} cannot be read as 64 hex digits.", code="bad-id-key") from fault
    if len(key) != 32:
        raise ConfigError(f"The key file {path} holds {len(key)} bytes instead of 32.", code="bad-id-key")
    return key
