"""The mapping file: from YAML text to a checked `Mapping`, or every problem at once.

Decides the order of reading (names first, so that hints know them) and the top-level keys. Leaves field rules to
`fields` and agreement between rules to `check`.
"""

from __future__ import annotations

import difflib
from os import PathLike, fspath
from pathlib import Path
from typing import cast, get_args

from pydantic import ValidationError

from isthmus.errors import MappingError, Problem, Where
from isthmus.mapping.checks.check import check
from isthmus.mapping.keys import ROOT_KEYS, TARGET_KEYS
from isthmus.mapping.model import (
    OTHERS,
    Collection,
    ColumnField,
    FieldRule,
    Ids,
    Junction,
    JunctionColumn,
    JunctionField,
    JunctionOnOrphan,
    Mapping,
    Naming,
    OnConflict,
    Policies,
    Target,
)
from isthmus.mapping.reading.collection import read_collection, read_rerun
from isthmus.mapping.reading.context import Context, read_policies
from isthmus.mapping.reading.defaults import read_on_update
from isthmus.mapping.reading.identities import read_identities
from isthmus.mapping.reading.nodes import MapNode, Node, ScalarNode, Unreadable, read_nodes
from isthmus.mapping.reading.reader import Reader, describe, shorten, suggest
from isthmus.mapping.references import meets_sensitive, refer
from isthmus.mapping.types import KINDS, TypeFault, parse_type

_MOST_KEPT = 8
_kept: dict[bytes, Mapping] = {}
"""Mappings by their text, as they were read. They are frozen, and one command asks for the text of a run many times."""


def load_mapping(path: str | PathLike[str]) -> Mapping:
    """Read and check a mapping file; see `isthmus.mapping.load_mapping`."""
    name = fspath(path)
    try:
        data = Path(path).read_bytes()
    except FileNotFoundError:
        hint = _nearby(Path(path))
        raise MappingError(
            "There is no such mapping file.", code="no-file", where=Where(file=name), hint=hint
        ) from None
    except IsADirectoryError:
        hint = _mappings_in(Path(path), "")
        message = "This is a folder; a mapping is a YAML file."
        raise MappingError(message, code="no-file", where=Where(file=name), hint=hint) from None
    except OSError as error:
        message = f"The mapping file cannot be read: {error.strerror}."
        raise MappingError(message, code="no-file", where=Where(file=name)) from None
    return parse_mapping(data, file_name=name)


def _nearby(path: Path) -> str:
    folder = path.parent
    return _mappings_in(folder, path.name) if folder.is_dir() else f"There is no folder {folder} either."


def _mappings_in(folder: Path, name: str) -> str:
    """Name the mapping that is probably meant, or those that stand in a folder."""
    try:
        there = sorted(one.name for one in folder.iterdir() if one.suffix in {".yaml", ".yml"})
    except OSError:
        there = []
    if not there:
        return (
            f"No YAML file is in {folder.absolute()}. Name the mapping's path, or make one: isthmus map SOURCE -o FILE."
        )
    by_stem = {Path(one).stem: one for one in there}  # the endings would make every name a near one
    close = difflib.get_close_matches(Path(name).stem, by_stem, 1, 0.6)
    return f"Did you mean `{by_stem[close[0]]}`?" if close else suggest("", there)


def parse_mapping(text: str | bytes, *, file_name: str = "mapping.yaml") -> Mapping:
    """Check a mapping given as text; see `isthmus.mapping.parse_mapping`."""
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    found = _kept.get(data)
    if found is None:
        found = _checked(data, file_name)
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[data] = found
    return found


def _checked(data: bytes, file_name: str) -> Mapping:
    reader = Reader(file_name)
    mapping: Mapping | None = None
    try:
        root = read_nodes(data, file_name, reader.problems)
        mapping = _read_root(reader, root)
    except Unreadable as unreadable:
        reader.problems.append(unreadable.problem)
    except ValidationError as error:  # the reader let something through that the model refuses
        for fault in error.errors():
            place = tuple(str(part) for part in fault["loc"])
            reader.report("not-valid", place, f"{fault['msg']}.")
    if mapping is not None:
        check(mapping, reader)
    if reader.problems or mapping is None:
        raise _refusal(file_name, reader.problems)
    return mapping


def _refusal(file_name: str, problems: list[Problem]) -> MappingError:
    # The order of the file; problems without a line (the whole file) come first.
    ordered = tuple(sorted(dict.fromkeys(problems), key=lambda problem: problem.where.line or 0))
    count = "1 problem" if len(ordered) == 1 else f"{len(ordered)} problems"
    return MappingError(
        f"The mapping {file_name} cannot be used: it has {count}.",
        code=ordered[0].code if len(ordered) == 1 else None,
        where=ordered[0].where if len(ordered) == 1 else Where(file=file_name),
        hint="Correct the file; nothing was written.",
        problems=ordered,
    )


def _read_root(reader: Reader, root: Node | None) -> Mapping | None:
    if root is None or (isinstance(root, ScalarNode) and root.value is None):
        reader.report("empty-file", (), "The mapping file is empty.", "Begin with `isthmus: 1`.")
        return None
    if not isinstance(root, MapNode):
        reader.report(
            "wrong-root",
            (),
            f"A mapping file is a map, but this is {describe(root)}.",
            "Begin with `isthmus: 1`.",
            line=root.line,
        )
        return None
    if not _version(reader, root):
        return None
    found = reader.keys(root, (), "A mapping file", ROOT_KEYS)
    enums = _enums(reader, found.get("enums"))
    policies = (
        read_policies(reader, found["policies"], ("policies",), Policies()) if "policies" in found else Policies()
    )
    naming = cast("Naming", _choice(reader, found, "naming", get_args(Naming), "fold"))
    ids = cast("Ids", _choice(reader, found, "ids", get_args(Ids), "uuid"))
    extras = (
        reader.name(found["extras"], ("extras",), "The extras column", default="extras")
        if "extras" in found
        else "extras"
    )
    if "collections" not in found and not reader.problems:
        reader.report("missing-key", (), "The mapping has no `collections`.", "Name at least one.", line=root.line)
    entries = reader.entries(found["collections"], ("collections",), "`collections`") if "collections" in found else []
    target = _target(reader, found["target"]) if "target" in found else Target()
    context = Context(enums, tuple(name for name, _ in entries), naming, extras, policies)
    collections: dict[str, Collection] = {}
    skipped: dict[str, str] = {}
    for name, node in entries:
        rule = read_collection(reader, name, node, context, ids, target)
        if isinstance(rule, Collection):
            collections[name] = rule
        elif rule is not None:
            skipped[name] = rule
    return _resolved(
        Mapping(
            isthmus=1,
            target=target,
            ids=ids,
            extras=extras,
            extensions=_extensions(reader, found.get("extensions")),
            naming=naming,
            enums=enums,
            policies=policies,
            collections=collections,
            skipped={name: why for name, why in skipped.items() if name != OTHERS},
            others_skipped=skipped.get(OTHERS),
            junctions=_junctions(reader, found["junctions"]) if "junctions" in found else {},
            identities=read_identities(reader, found["identities"]) if "identities" in found else {},
        )
    )


def _resolved(mapping: Mapping) -> Mapping:
    """Resolve what follows from other rules.

    Types of references that say what follows anyway are left away, so that stating them changes nothing; references by
    a sensitive field are sensitive too.
    """

    def is_implied(rule: ColumnField) -> bool:
        if rule.references is None or rule.type is None or rule.type.array:
            return False
        try:
            implied = refer(mapping, rule.references)
            return implied.type == rule.type and refer(mapping, rule.references, rule.type) == implied
        except KeyError:  # `check` reports it
            return False

    def resolve(rule: FieldRule) -> FieldRule:
        if isinstance(rule, ColumnField):
            implied = {"type": None} if is_implied(rule) else {}
            secret = {"sensitive": True} if rule.references and meets_sensitive(mapping, rule.references) else {}
            return rule.model_copy(update={**implied, **secret})
        if isinstance(rule, JunctionField) and rule.junction in mapping.junctions:
            ends = mapping.junctions[rule.junction].columns
            secret = any(meets_sensitive(mapping, end.collection) for end in ends)
            return rule.model_copy(update={"sensitive": secret})
        return rule

    return mapping.with_rules(resolve)


def _choice(reader: Reader, found: dict[str, Node], key: str, options: tuple[str, ...], default: str) -> str:
    return reader.choice(found[key], (key,), f"`{key}`", options, default) if key in found else default


def _version(reader: Reader, root: MapNode) -> bool:
    node = next((value for key, value in root.entries if key.text == "isthmus"), None)
    if node is None:
        reader.lines[()] = root.line
        known = [key.text for key, _ in root.entries]
        hint = "Begin the file with `isthmus: 1`."
        reader.report(
            "no-version",
            (),
            f"The key `isthmus` is missing; the file has {', '.join(f'`{shorten(key, 30)}`' for key in known[:6])}.",
            hint,
        )
        return False
    if isinstance(node, ScalarNode) and node.value == 1 and not isinstance(node.value, bool):
        return True
    message = f"This Isthmus reads mappings of version 1, but this is {describe(node)}."
    reader.report("unknown-version", ("isthmus",), message, "Write `isthmus: 1`.", line=node.line)
    return False


def _target(reader: Reader, node: Node) -> Target:
    place = ("target",)
    found = reader.keys(node, place, "`target`", TARGET_KEYS)
    stated: dict[str, str | bool] = {"conflict_stated": "on_conflict" in found}
    if "schema" in found:
        stated["schema_name"] = reader.name(found["schema"], (*place, "schema"), "The schema", default="public")
    for key, options, default in (
        ("tables", ("create", "existing"), "create"),
        ("on_conflict", get_args(OnConflict), "keep_target"),
    ):
        if key in found:
            stated[key] = reader.choice(found[key], (*place, key), f"`{key}`", options, default)
    if "rerun" in found and read_rerun(reader, found["rerun"], place):
        stated["rerun"] = "tracked"
    if (on_update := read_on_update(reader, found, place)) is not None:
        stated["on_update"] = on_update
    return Target.model_validate(stated)


def _extensions(reader: Reader, node: Node | None) -> tuple[str, ...]:
    if node is None:
        return ()
    names = [
        reader.name(item, at, "The extension", default="")
        for at, item in reader.items(node, ("extensions",), "`extensions`")
    ]
    return tuple(sorted({name for name in names if name}))


def _enums(reader: Reader, node: Node | None) -> dict[str, tuple[str, ...]]:
    enums: dict[str, tuple[str, ...]] = {}
    for name, values in reader.entries(node, ("enums",), "`enums`") if node is not None else []:
        place = ("enums", name)
        reader.check_name(name, place, "The enum")
        if _is_type(name):
            reader.report(
                "bad-name", place, f"`{name}` is the name of a built-in type.", "Choose another name for the enum."
            )
        labels = reader.texts(values, place, f"the enum `{name}`")
        if not labels and not reader.is_broken(place):
            reader.report("empty-enum", place, f"The enum `{name}` has no values.", "List them: [A, B].")
        for position, label in enumerate(labels):
            at = (*place, str(position))
            if label:
                reader.check_name(label, at, "The enum value")
            if label in labels[:position]:
                reader.report("duplicate-value", at, f"The enum `{name}` lists `{shorten(label)}` twice.", "Keep one.")
        enums[name] = tuple(dict.fromkeys(labels))
    return enums


def _is_type(name: str) -> bool:
    try:
        return str(parse_type(name, ())) in KINDS
    except TypeFault:
        return name == "enum"


def _junctions(reader: Reader, node: Node) -> dict[str, Junction]:
    junctions: dict[str, Junction] = {}
    for name, value in reader.entries(node, ("junctions",), "`junctions`"):
        place = ("junctions", name)
        reader.check_name(name, place, "The junction table")
        inner = _value(value, "columns")
        long = isinstance(inner, MapNode)
        found = reader.keys(value, place, "A junction", ("columns", "on_orphan")) if long else {}
        columns_node, columns_place = (inner, (*place, "columns")) if isinstance(inner, MapNode) else (value, place)
        columns: list[JunctionColumn] = []
        for column, collection in reader.entries(columns_node, columns_place, "A junction"):
            at = (*columns_place, column)
            reader.check_name(column, at, "The column")
            columns.append(JunctionColumn(column=column, collection=reader.text(collection, at, "A collection's name")))
        on_orphan = None
        if "on_orphan" in found:
            options = get_args(JunctionOnOrphan)
            on_orphan = reader.choice(found["on_orphan"], (*place, "on_orphan"), "`on_orphan`", options, "drop")
        if len(columns) != 2:
            if not reader.is_broken(place):
                message = f"A junction has two columns, but `{name}` has {len(columns)}."
                reader.report("junction-columns", place, message, "Write {a_id: CollectionA, b_id: CollectionB}.")
            columns = [*columns, *(JunctionColumn(column=f"missing_{n}", collection="") for n in (1, 2))][:2]
        junctions[name] = Junction(
            columns=(columns[0], columns[1]), on_orphan=cast("JunctionOnOrphan | None", on_orphan)
        )
    return junctions


def _value(node: Node, key: str) -> Node | None:
    if not isinstance(node, MapNode):
        return None
    return next((value for entry, value in node.entries if entry.text == key), None)
