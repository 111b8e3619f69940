"""Writes docs/reference/errors.md: exit codes, every error code and every reject code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from isthmus.cli.letter_codes import REJECTS
from tools.docs.error_codes import Raised, error_classes, raised

EXIT_CODES = (
    (0, "everything was carried, and nothing new went to the ledgers"),
    (1, "the command finished, but something was not carried, was handled by a default, or differs"),
    (2, "the command line, a setting or the mapping is wrong; nothing was written"),
    (3, "the source cannot be read; what was read before is kept, the same command goes on"),
    (4, "the target refuses or is gone; what was committed is kept, the same command goes on"),
    (5, "a governance rule refuses a change"),
    (130, "interrupted; the same command goes on"),
)
WHO_ACTS = {
    "MappingError": "The mapping file is wrong. Its author acts.",
    "ConfigError": "A command line, a setting or an environment variable is wrong. Whoever typed it acts.",
    "SourceError": "The MongoDB side cannot be read. Its operator acts.",
    "TargetError": "The PostgreSQL side refuses. Its operator acts.",
    "ConversionError": "One document does not fit. A person decides.",
    "GovernError": "A governance rule refuses a change.",
    "PolyglotError": "Two databases of one application disagree.",
    "InternalError": "Isthmus itself is wrong. Please report it, with the message.",
}
STAGES = {
    "core": "Stage `convert`: found while the document is read",
    "target": "Stage `load`: found when PostgreSQL takes the rows",
    "finish": "Stage `finish`: found when all documents are there",
}


def cell(text: str) -> str:
    """Make text safe for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def page(root: Path) -> str:
    """Write the page for the sources below `root`."""
    source = root / "src" / "isthmus"
    found = raised(source)
    return "\n".join([*_head(), *_exit_codes(), *_rejects(), *_problems(found), *_errors(source, found)]) + "\n"


def _head() -> Iterator[str]:
    yield "# Codes of errors and dead letters"
    yield ""
    yield "<!-- Made from the sources by `make docs`; do not edit. -->"
    yield ""
    yield "Codes are stable: scripts may rely on them. The words around them may change."
    yield "In the sentences below, `{name}` stands for a value."
    yield ""


def _exit_codes() -> Iterator[str]:
    yield "## Exit codes"
    yield ""
    yield "When several apply, the highest is returned."
    yield ""
    yield "| code | meaning |"
    yield "| ---: | --- |"
    for code, meaning in EXIT_CODES:
        yield f"| {code} | {meaning} |"
    yield ""


def _rejects() -> Iterator[str]:
    yield "## Codes of dead letters"
    yield ""
    yield "A dead letter is a document that was not carried. `isthmus letters list` shows its code, path and value."
    yield "How to read them: [dead letters](../how-to/read-dead-letters.md)."
    yield ""
    for stage, title in STAGES.items():
        yield f"### {title}"
        yield ""
        yield "| code | meaning | what to do |"
        yield "| --- | --- | --- |"
        for reject in REJECTS:
            if reject.stage == stage:
                yield f"| `{reject.code}` | {cell(reject.meaning)} | {cell(reject.remedy)} |"
        yield ""


def _rows(found: list[Raised]) -> Iterator[str]:
    yield "| code | sentence | what to do |"
    yield "| --- | --- | --- |"
    by_code: dict[str, list[Raised]] = {}
    for entry in found:
        by_code.setdefault(entry.code, []).append(entry)
    for code, entries in by_code.items():
        sentences = list(dict.fromkeys(cell(entry.message) for entry in entries if entry.message))
        hints = list(dict.fromkeys(cell(entry.hint) for entry in entries if entry.hint))
        yield f"| `{code}` | {'<br>'.join(sentences)} | {'<br>'.join(hints)} |"
    yield ""


def _problems(found: list[Raised]) -> Iterator[str]:
    findings = [entry for entry in found if entry.kind == "Problem"]
    if findings:
        yield "## Findings of a check"
        yield ""
        yield "A check reports all it found at once, each with its place: file and line, collection, path or table."
        yield ""
        yield from _rows(findings)


def _errors(source: Path, found: list[Raised]) -> Iterator[str]:
    yield "## Errors, by who must act"
    yield ""
    for name, (_, exit_code) in error_classes(source / "errors.py").items():
        entries = [entry for entry in found if entry.kind == name]
        if name in WHO_ACTS and entries:
            yield f"### {name} (exit {exit_code})"
            yield ""
            yield WHO_ACTS[name]
            yield ""
            yield from _rows(entries)
