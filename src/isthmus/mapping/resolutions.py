"""What people answered where documents may or may not be one thing: `resolutions.yaml`, read beside the mapping.

Holds the file against the mapping's identities; whether documents of these `_id`s are there, only the source knows.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from os import PathLike, fspath
from pathlib import Path
from typing import Any, Literal, cast

from isthmus.errors import ConfigError, Problem, Where
from isthmus.mapping.model import Mapping
from isthmus.mapping.reading.nodes import MapNode, Node, ScalarNode, Unreadable, read_nodes
from isthmus.mapping.reading.reader import Place, Reader, describe, shorten, suggest

AnswerKind = Literal["same", "different", "drop"]

FILE_NAME = "resolutions.yaml"
"""How the file beside the mapping is called."""
ROOT_KEYS = ("isthmus", "identities")
ANSWER_KEYS = ("same", "different", "drop", "reason")
KINDS: tuple[AnswerKind, ...] = ("same", "different", "drop")

_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_NEARLY = re.compile(r"[0-9a-fA-F]{20,30}")
_SAME_MOST = 1_000


@dataclass(frozen=True)
class AnsweredDocument:
    """A document as an answer names it.

    Attributes:
        collection: In the source.
        id: 24 hex digits in lower case, Extended JSON of another `_id`, or its text.
    """

    collection: str
    id: str

    def __str__(self) -> str:
        return f"{{{yaml_key(self.collection)}: {yaml_id(self.id)}}}"


@dataclass(frozen=True)
class Answer:
    """What a person said of some documents.

    Attributes:
        kind: `same` (one thing, whatever keys say), `different` (never one thing), `drop` (left behind).
        documents: Two of `different`, one of `drop`, two or more of `same`.
        reason: In their words.
        where: File and line.
    """

    kind: AnswerKind
    documents: tuple[AnsweredDocument, ...]
    reason: str
    where: Where


@dataclass(frozen=True)
class Resolutions:
    """A whole file.

    Attributes:
        file_name: As the user gave it; where answers are to be written, also if there is no such file yet.
        identities: Answers in the order of the file, by identity.
    """

    file_name: str = FILE_NAME
    identities: dict[str, tuple[Answer, ...]] = field(default_factory=dict[str, tuple[Answer, ...]])

    def of(self, name: str) -> tuple[Answer, ...]:
        """The answers to one identity."""
        return self.identities.get(name, ())

    def digest(self, name: str) -> str:
        """SHA-256, hex, of what the answers to an identity say: not of their order, nor of reasons but for `drop`."""
        stated = sorted(
            json.dumps(
                [one.kind, sorted((d.collection, d.id) for d in one.documents), one.reason * (one.kind == "drop")],
                ensure_ascii=True,
            )
            for one in self.of(name)
        )
        return hashlib.sha256("\n".join(dict.fromkeys(stated)).encode()).hexdigest()


def beside(mapping_file: Path) -> Path:
    """Return where the answers to a mapping's identities stand, unless somebody says otherwise."""
    return mapping_file.with_name(FILE_NAME)


def resolutions_of(mapping_file: Path, mapping: Mapping, given: Path | None) -> Resolutions:
    """Read the answers to a mapping's identities: from the file that was given, else from the one beside the mapping.

    Raises:
        ConfigError: As `load_resolutions`; also where a file was given and the mapping has no identities (code
            `no-identities`).
    """
    if not mapping.identities:
        if given is None:
            return Resolutions(fspath(beside(mapping_file)))
        raise ConfigError(
            f"The mapping {mapping_file} has no identities that {given} could speak of.",
            code="no-identities",
            hint="Leave --resolutions out, or say in the mapping which documents may be one thing (`identities`).",
        )
    return load_resolutions(given or beside(mapping_file), mapping, needed=given is not None)


def load_resolutions(path: str | PathLike[str], mapping: Mapping, *, needed: bool = False) -> Resolutions:
    """Read and check a file of answers.

    Args:
        path: The file, UTF-8 YAML 1.2.
        mapping: Whose identities it speaks of.
        needed: Whether it must be there; else a file that is not there holds no answer.

    Raises:
        ConfigError: It cannot be read (code `no-resolutions`) or says something wrong; `problems` holds every finding
            with file and line.
    """
    name = fspath(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        if not needed:
            return Resolutions(name)
        raise ConfigError(
            "There is no such file of answers.",
            code="no-resolutions",
            where=Where(file=name),
            hint="Name the file that --resolutions means, or leave the option out.",
        ) from None
    except OSError as fault:
        message = f"The file of answers cannot be read: {fault.strerror}."
        raise ConfigError(message, code="no-resolutions", where=Where(file=name)) from None
    return parse_resolutions(data, mapping, file_name=name)


def parse_resolutions(text: str | bytes, mapping: Mapping, *, file_name: str = FILE_NAME) -> Resolutions:
    """Check answers given as text; otherwise like `load_resolutions`."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    reader = Reader(file_name)
    found: dict[str, tuple[Answer, ...]] = {}
    try:
        root = read_nodes(data, file_name, reader.problems)
        found = _read_root(reader, root, mapping)
    except Unreadable as unreadable:
        reader.problems.append(unreadable.problem)
    if reader.problems:
        raise _refusal(file_name, reader.problems)
    return Resolutions(file_name, found)


def _refusal(file_name: str, problems: list[Problem]) -> ConfigError:
    ordered = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.where.line or 0))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return ConfigError(
        f"The answers in {file_name} cannot be used: the file has {count}.",
        code="resolutions",
        where=ordered[0].where if len(ordered) == 1 else Where(file=file_name),
        hint="Correct the file; nothing was written.",
        problems=ordered,
    )


def _read_root(reader: Reader, root: Node | None, mapping: Mapping) -> dict[str, tuple[Answer, ...]]:
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        return {}  # comments only, or every answer taken back
    if not isinstance(root, MapNode):
        message = f"A file of answers is a map, but this is {describe(root)}."
        reader.report("wrong-root", (), message, "Begin with `isthmus: 1`.", line=root.line)
        return {}
    found = reader.keys(root, (), "A file of answers", ROOT_KEYS)
    version = found.get("isthmus")
    if version is None:
        reader.report("no-version", (), "The key `isthmus` is missing.", "Begin with `isthmus: 1`.", line=root.line)
    elif not isinstance(version, ScalarNode) or version.value != 1 or isinstance(version.value, bool):
        message = f"This Isthmus reads answers of version 1, but this is {describe(version)}."
        reader.report("unknown-version", ("isthmus",), message, "Write `isthmus: 1`.", line=version.line)
    answers: dict[str, tuple[Answer, ...]] = {}
    place: Place = ("identities",)
    for name, node in reader.entries(found["identities"], place, "`identities`") if "identities" in found else []:
        at = (*place, name)
        if name not in mapping.identities:
            message = f"The mapping has no identity `{shorten(name)}`."
            reader.report("unknown-identity", at, message, suggest(name, mapping.identities))
            continue
        if isinstance(node, ScalarNode) and node.value is None:
            continue
        collections = [source.collection for source in mapping.identities[name].sources]
        read = [
            _answer(reader, item, item_at, collections)
            for item_at, item in reader.items(node, at, f"the answers to `{shorten(name)}`")
        ]
        answers[name] = tuple(one for one in read if one is not None)
        _check_together(reader, answers[name], at)
    return answers


def _answer(reader: Reader, node: Node, at: Place, collections: Sequence[str]) -> Answer | None:
    found = reader.keys(node, at, "An answer", ANSWER_KEYS)
    if not isinstance(node, MapNode):
        return None
    kinds: list[AnswerKind] = [kind for kind in KINDS if kind in found]
    if len(kinds) != 1:
        said = f"says {' and '.join(f'`{kind}`' for kind in kinds)} at once" if kinds else "says nothing"
        hint = "Write one of same: [DOCUMENT, DOCUMENT], different: [DOCUMENT, DOCUMENT], drop: DOCUMENT."
        reader.report("answer-form", at, f"This answer {said}.", hint)
    reason = ""
    if "reason" not in found:
        message = "This answer gives no reason."
        hint = 'Say who decided, and why: reason: "one person, asked by phone on 2026-11-01".'
        reader.report("no-reason", at, message, hint)
    else:
        hint = "Say who decided, and why."
        reason = reader.text(found["reason"], (*at, "reason"), "The reason", hint=hint).strip()
    if len(kinds) != 1:
        return None
    kind = kinds[0]
    documents = _documents(reader, kind, found[kind], (*at, kind), collections)
    if not documents or reader.is_broken(at):
        return None
    return Answer(kind, documents, reason, Where(file=reader.file_name, line=reader.line(at)))


def _documents(
    reader: Reader, kind: AnswerKind, node: Node, at: Place, collections: Sequence[str]
) -> tuple[AnsweredDocument, ...]:
    if kind == "drop":
        one = _document(reader, node, at, collections)
        return () if one is None else (one,)
    items = reader.items(node, at, f"`{kind}`")
    read = [_document(reader, item, item_at, collections) for item_at, item in items]
    documents = tuple(one for one in read if one is not None)
    if reader.is_broken(at):
        return ()
    if len(set(documents)) < len(documents):
        twice = next(one for number, one in enumerate(documents) if one in documents[:number])
        reader.report("answer-form", at, f"`{kind}` names {twice} twice.", "Name each document once.")
    elif kind == "different" and len(documents) != 2:
        message = f"`different` speaks of two documents, and this names {len(documents)}."
        reader.report("answer-form", at, message, "Write one answer for each two: different: [DOCUMENT, DOCUMENT].")
    elif kind == "same" and not 2 <= len(documents) <= _SAME_MOST:
        message = f"`same` names {len(documents)} documents."
        reader.report("answer-form", at, message, "Name two or more: same: [DOCUMENT, DOCUMENT].")
    return documents


def _document(reader: Reader, node: Node, at: Place, collections: Sequence[str]) -> AnsweredDocument | None:
    form = "Write {COLLECTION: ID}, such as {users: 65f0c1a2b3c4d5e6f7a8b9c0}."
    if not isinstance(node, MapNode) or len(node.entries) != 1:
        found = f"a map of {len(node.entries)} keys" if isinstance(node, MapNode) else describe(node)
        message = f"A document is a collection with an _id, but this is {found}."
        reader.report("answer-form", at, message, form, line=node.line)
        return None
    ((name, value),) = reader.entries(node, at, "A document")
    if name not in collections:
        message = f"`{shorten(name)}` is no collection of this identity."
        reader.report("unknown-collection", at, message, suggest(name, collections), line=node.line)
        return None
    text = _id(reader, value, (*at, name))
    return None if text is None else AnsweredDocument(name, text)


def _id(reader: Reader, node: Node, at: Place) -> str | None:
    if isinstance(node, ScalarNode):
        if _OBJECT_ID.fullmatch(node.text):  # also where YAML would read a number
            return node.text.lower()
        if isinstance(node.value, str) and _NEARLY.fullmatch(node.text):
            message = f"`{node.text}` has {len(node.text)} hex digits, and an ObjectId has 24."
            hint = "Write all of them; of a text that looks so, its quotes too: '\"TEXT\"'."
            reader.report("bad-document-id", at, message, hint, line=node.line)
            return None
        if node.text.strip() and node.value is not None and not isinstance(node.value, bool):
            return node.text
    elif (plain := _extended(node)) is not None:
        return json.dumps(plain, ensure_ascii=False)
    message = f"An _id cannot be {describe(node)}."
    hint = "Write 24 hex digits, a text, a number, or Extended JSON such as {$uuid: …}."
    reader.report("bad-document-id", at, message, hint, line=node.line)
    return None


def _extended(node: Node) -> dict[str, Any] | None:
    """Return Extended JSON, or a sub-document as an `_id`; None where it is neither."""
    value = _plain(node)
    return cast("dict[str, Any]", value) if isinstance(value, dict) and value else None


def _plain(node: Node) -> Any:
    if isinstance(node, MapNode):
        return {key.text: _plain(value) for key, value in node.entries}
    if isinstance(node, ScalarNode):
        return node.value if isinstance(node.value, str | int | bool) or node.value is None else float(node.value)
    return [_plain(item) for item in node.items]


def _check_together(reader: Reader, answers: Iterable[Answer], at: Place) -> None:
    """Report answers that contradict each other: what is dropped is neither same nor different, and not twice."""
    dropped: dict[AnsweredDocument, Answer] = {}
    answered = list(answers)
    for one in answered:
        if one.kind != "drop":
            continue
        first = dropped.setdefault(one.documents[0], one)
        if first is not one:
            message = f"{one.documents[0]} is dropped in line {first.where.line} already."
            reader.report("answered-twice", at, message, "Keep one of the two.", line=one.where.line)
    for one in answered:
        for document in one.documents if one.kind != "drop" else ():
            if document in dropped:
                message = f"{document} is dropped in line {dropped[document].where.line}, so it is no part of anything."
                reader.report("same-and-dropped", at, message, "Keep one of the two answers.", line=one.where.line)


def yaml_key(text: str) -> str:
    """Write a word as YAML inside braces: plain where nothing could mistake it."""
    return text if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.\-]*", text) else json.dumps(text, ensure_ascii=False)


def yaml_id(text: str) -> str:
    """Write an `_id` as YAML inside braces, so that it is read back as it is."""
    if _OBJECT_ID.fullmatch(text) or re.fullmatch(r"-?[0-9]{1,18}", text):
        return text
    return json.dumps(text, ensure_ascii=False)
