"""The rules of one collection's tables: a walk over what was met, asking each kind of decision its module. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

from isthmus.mapping.mark import MARK
from isthmus.mapping.names import NAME_BYTES, fold
from isthmus.mapping.paths import show_path
from isthmus.mapping.placing import child_key
from isthmus.mapping.target import POSITION
from isthmus.survey.model import Surveyed
from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path
from isthmus.survey.propose.beside import Beside
from isthmus.survey.propose.enums import case_only, find_labels, is_type_name
from isthmus.survey.propose.figures import share
from isthmus.survey.propose.ids import LONGEST_KEY_BYTES, IdChoice
from isthmus.survey.propose.names import RESERVED_COLUMNS, column_wish, cut, free_name
from isthmus.survey.propose.pointing import Pointers, Pointing
from isthmus.survey.propose.proposal import CHECK, Enum, Fields, Rule
from isthmus.survey.propose.refused import Refused, Standing, count_refused, left_over, settle
from isthmus.survey.propose.shapes import MOST_COLUMNS, MOST_LEVELS, judge_documents, judge_elements
from isthmus.survey.propose.tiers import is_filter, is_searched
from isthmus.survey.propose.types import choose_type
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.work.amounts import plural

EXTRAS = "extras"
_REPLACEMENT = "\ufffd"
_MOST_CHILDREN = 2
"""How deep arrays inside arrays become child tables."""
_MOST_SEARCHED = 4
_MOST_OUTER = 2
"""Keys of a path whose column is still one that its table is filtered or searched by."""


@dataclass
class Shared:
    """What the tables of all collections have in common.

    Attributes:
        ids: Of every collection that is carried.
        pointers: References.
        names: Tables, junctions and enums, which share one namespace.
        enums: By name.
        beside: The mapping that this is to be added to.
        said: What that mapping says of values that PostgreSQL refuses.
        secret: Fields that hold what a secret field of another collection holds.
    """

    ids: Mapping[str, IdChoice]
    pointers: Pointers
    names: set[str] = field(default_factory=set[str])
    enums: dict[str, Enum] = field(default_factory=dict[str, Enum])
    beside: Beside = field(default_factory=Beside)
    said: Standing = field(default_factory=Standing)
    secret: Set[tuple[str, Path]] = frozenset()


@dataclass(frozen=True)
class Place:
    """A rule with what it was made of.

    Attributes:
        table: The table it is in.
        rule: The rule.
        node: What was met.
        at: From the top of the document, `[]` among them.
        type: Of the column; None for what is no column of a plain type.
    """

    table: Fields
    rule: Rule
    node: Node
    at: Path
    type: str | None

    @property
    def inner(self) -> bool:
        """Whether the table is a child."""
        return ELEMENT in self.at


@dataclass(frozen=True)
class _Here:
    """Where the walk is.

    Attributes:
        at: From the top of the document, `[]` among them.
        inner: From the top of the row's document.
        always: Whether every row has a value here that is not null.
        level: Documents around it, within the row.
        arrays: Arrays around it.
    """

    at: Path = ()
    inner: Path = ()
    always: bool = True
    level: int = 0
    arrays: int = 0


class TableMaker:
    """Makes the tables of one collection.

    Attributes:
        root: The root table.
        places: Every rule by the path that MongoDB's indexes call it by, without `[]`.
        arrays: References in arrays that are to become junctions: rule and reference.
    """

    def __init__(self, name: str, one: Surveyed, table: str, shared: Shared) -> None:
        self._name = name
        self._one = one
        self._shared = shared
        self.places: dict[Path, Place] = {}
        self.arrays: list[tuple[Rule, Pointing]] = []
        self.root = Fields(table, taken={"id", EXTRAS, *RESERVED_COLUMNS})
        self._keys: dict[str, tuple[str, ...]] = {table: ("id",)}
        self._whole = not one.sampled and not one.broken and bool(one.profile.documents)
        self._carried: list[Refused] = []

    def make(self) -> None:
        """Make the rules."""
        self._key()
        root = self._one.profile.root
        if root.collapsed is not None:
            self.root.notes.append(
                f"{CHECK}the keys of whole documents are data ({root.collapsed.keys:,} or more); all go to extras"
            )
        self._level(root, _Here(), self.root)
        if not self._shared.beside.has(self._name):
            self.root.notes += left_over(self._refused(), self._carried, self._shared.said)
        texts = [place for place in self.places.values() if place.table is self.root and self._is_searched(place)]
        if texts:
            names = [place.rule.column for place in texts]
            self.root.search = {"columns": names[:_MOST_SEARCHED]}

    def _refused(self) -> Refused:
        """Count what PostgreSQL refuses of all documents; a key that only looks mended is none."""
        profile = self._one.profile
        met = count_refused(profile.root)
        mended = profile.refused.get("invalid_utf8") or dict(profile.odd_keys).get("invalid_utf8")
        return met if mended else replace(met, utf8=0)

    def _mend(self, node: Node, type_: str, body: dict[str, Any], notes: list[str]) -> None:
        """Say in a column's rule what becomes of values that PostgreSQL refuses."""
        told, policies = settle(node, type_, self._shared.said)
        notes[:0] = told
        if policies:
            body["policies"] = policies
        self._carried.append(count_refused(node))

    def _mend_reference(self, node: Node, one: Pointing, body: dict[str, Any], notes: list[str]) -> None:
        """Do so for a reference: where it derives an id, it takes every text as it is."""
        if one.by is None and not self._shared.ids[one.targets[0]].keep:
            self._carried.append(count_refused(node))
        else:
            self._mend(node, "text", body, notes)

    def _key(self) -> None:
        ids = self._shared.ids[self._name]
        if ids.keep and ids.type != "text":
            self.root.rules.append(Rule(("_id",), {"type": ids.type}, []))
        if ids.source is None:
            return
        column = free_name("source_id", self.root.taken, fallback="source_id")
        self.root.taken.add(column)
        body: dict[str, Any] = {"path": ["_id"], "column": column, "type": ids.source}
        rule = Rule(("_id",), body, [], name=column)
        self._mend(self._one.profile.root.fields.get("_id") or Node(), ids.source, body, rule.notes)
        self.root.rules.append(rule)

    def _is_searched(self, place: Place) -> bool:
        body = place.rule.body
        return (
            place.type == "text"
            and not body.get("sensitive")
            and "references" not in body
            and len(place.rule.path) <= _MOST_OUTER
            and is_searched(_last(place.rule.path))
        )

    # Levels of documents.

    def _level(self, node: Node, here: _Here, table: Fields) -> None:
        ordered = sorted(node.fields.items(), key=lambda one: (-one[1].holders, one[0]))
        left: list[str] = []
        for key, child in ordered:
            if not here.at and key in {"_id", MARK}:
                continue
            if _REPLACEMENT in key:
                table.notes.append(
                    f"{CHECK}a key that is no UTF-8 has no name in a mapping: {child.present:,} values go to extras"
                )
                continue
            if len(table.rules) >= MOST_COLUMNS:
                left.append(key)
                continue
            present = child.missing == 0 and child.null == 0
            self._field(
                child,
                replace(here, at=(*here.at, key), inner=(*here.inner, key), always=here.always and present),
                table,
            )
        if left:
            table.notes.append(f"{CHECK}{len(left):,} rarer fields go to extras: a table has room for {MOST_COLUMNS}")

    def _field(self, node: Node, here: _Here, table: Fields) -> None:
        pointing = self._shared.pointers.good.get((self._name, here.at))
        if pointing is not None:
            self._reference(node, here, table, pointing)
            return
        elements = self._shared.pointers.good.get((self._name, (*here.at, ELEMENT)))
        if elements is not None and self._references(node, here, table, elements):
            return
        kinds = set(node.kinds)
        notes: list[str] = []
        if "object" in kinds:
            flat, why = self._is_flat(node, here, table)
            if flat:
                self._flatten(node, here, table)
                return
            notes = [why] if why else []
        elif kinds == {"array"} and node.elements is not None and "object" in node.elements.kinds:
            child, why = self._is_child(node, here, table)
            if child:
                self._child(node, here, table)
                return
            notes = [why] if why else []
        self._column(node, here, table, notes)

    def _is_flat(self, node: Node, here: _Here, table: Fields) -> tuple[bool, str]:
        verdict = judge_documents(node)
        if verdict.is_shape:
            fits = here.level < MOST_LEVELS and len(table.rules) + len(node.fields) <= MOST_COLUMNS
            return (True, "") if fits else (False, "nested too deep, or too many columns, so it stays JSON")
        if "varied" in verdict.why and here.level < MOST_LEVELS and self._shared.pointers.below(self._name, here.at):
            return True, ""
        return False, verdict.why

    def _is_child(self, node: Node, here: _Here, table: Fields) -> tuple[bool, str]:
        verdict = judge_elements(node)
        refers = "varied" in verdict.why and self._shared.pointers.below(self._name, (*here.at, ELEMENT))
        if not (verdict.is_shape or refers):
            return False, verdict.why
        if here.arrays >= _MOST_CHILDREN:
            return False, "arrays nested too deep for child tables, so it stays JSON"
        key = child_key(table.table, self._keys[table.table], "own")
        if any(len(name.encode()) > NAME_BYTES for name in key):
            return False, "the name of its table would be too long"
        return True, ""

    def _flatten(self, node: Node, here: _Here, table: Fields) -> None:
        documents = node.kinds.get("object", 0)
        first = len(table.rules)
        always = here.always and documents == node.present
        self._level(node, replace(here, always=always, level=here.level + 1), table)
        others = node.filled - documents
        if others:
            note = f"{CHECK}{share(others, node.filled)} values of {here.inner[-1]} are no documents and go to extras"
            target = table.rules[first].notes if len(table.rules) > first else table.notes
            target.insert(0, note)

    def _child(self, node: Node, here: _Here, table: Fields) -> None:
        elements = node.elements or Node()
        shared, own = self._shared, f"{table.table}_id"
        name = free_name(f"{table.table} {column_wish(here.inner)}", shared.names, fallback=f"{table.table}_items")
        shared.names.add(name)
        body: dict[str, Any] = {"child": name}
        if len(own.encode()) > NAME_BYTES:
            body["own"] = own = cut(table.table, "_id")
        key = child_key(table.table, self._keys[table.table], own)
        inner = Fields(name, taken={*key, POSITION, EXTRAS, *RESERVED_COLUMNS})
        inner.taken |= shared.beside.child_columns(self._name, here.at)
        self._keys[name] = key
        total = elements.present
        arrays = node.arrays
        longest = arrays.length[1] if arrays is not None else 0
        note = (
            f"{plural(total, 'document')} of one shape in {plural(node.filled, 'array')}, at most {longest:,} in one:"
            " rows of their own"
        )
        rule = Rule(here.inner, body, [note], child=inner)
        if node.null:
            rule.notes.append(f"{share(node.null, node.present)} values are null, which means no rows")
        table.rules.append(rule)
        self._place(here, Place(table, rule, node, here.at, type=None))
        below = _Here((*here.at, ELEMENT), (), True, 0, here.arrays + 1)
        self._level(elements, below, inner)

    # Columns.

    def _add(
        self, node: Node, here: _Here, table: Fields, body: dict[str, Any], notes: list[str], *, type_: str | None
    ) -> Rule:
        """Add a column with a name of its own."""
        column = self._column_name(here, table)
        said = column == fold(column_wish(here.inner)) and column.isascii()
        stated = {} if said else {"column": column}
        rule = Rule(here.inner, {**stated, **body}, notes)
        table.rules.append(rule)
        self._place(here, Place(table, rule, node, here.at, type=type_))
        return rule

    def _column_name(self, here: _Here, table: Fields) -> str:
        column = free_name(column_wish(here.inner), table.taken, fallback="field")
        table.taken.add(column)
        return column

    def _place(self, here: _Here, place: Place) -> None:
        self.places.setdefault(tuple(key for key in here.at if key != ELEMENT), place)

    def _is_secret(self, here: _Here, node: Node) -> bool:
        """Tell whether a value holds a secret by its name, or by what it refers to."""
        if is_sensitive(here.at) or any(is_sensitive((*here.at, *path)) for path in _names_below(node)):
            return True
        return any(name == self._name and at[: len(here.at)] == here.at for name, at in self._shared.secret)

    def _column(self, node: Node, here: _Here, table: Fields, notes: list[str]) -> None:
        secret = self._is_secret(here, node)
        chosen = choose_type(node, hidden=secret)
        key = (self._name, here.at)
        is_key = key in self._shared.pointers.keys
        if any(note.startswith(CHECK) for note in chosen.notes):  # says with numbers what is of other types
            notes = [note for note in notes if "document" not in note]
        notes = [*notes, *chosen.notes]
        refused = self._shared.pointers.refused
        inner = (self._name, (*here.at, ELEMENT))
        notes += [refused[at] for at in (key, inner) if at in refused]
        if inner in self._shared.pointers.good and chosen.type != "jsonb":
            one = self._shared.pointers.good[inner]
            notes.append(f"{one.note()}; an array that may lead to several collections stays what it is")
        if set(node.kinds) == {"objectId"} and key not in refused:
            notes.append("ObjectIds that are no _id of a document here")
        type_ = chosen.type
        if type_ == "text" and self._whole and not secret and not is_key:
            type_ = self._enum(node, here, table, notes) or type_
        required = self._is_required(here) and not (chosen.policies and self._shared.said.dates_vanish)
        body: dict[str, Any] = {"type": type_ + ("!" if required else "")}
        if is_key:
            body["unique"] = True
        elif here.arrays == 0 and chosen.is_plain and self._is_filter(node, here, chosen.type):
            body["index"] = True
        if type_ == "jsonb":
            body |= self._rewrites(here, notes)
        if secret:
            body["sensitive"] = True
        self._mend(node, chosen.type, body, notes)
        self._add(node, here, table, body, notes, type_=chosen.type if type_ == chosen.type else "enum")

    def _is_filter(self, node: Node, here: _Here, type_: str) -> bool:
        short = node.texts is None or node.texts.bytes_max <= LONGEST_KEY_BYTES
        return short and len(here.inner) <= _MOST_OUTER and is_filter(_last(here.inner), type_)

    def _enum(self, node: Node, here: _Here, table: Fields, notes: list[str]) -> str | None:
        labels = find_labels(here.inner[-1], node)
        if labels is None:
            return None
        name = free_name(f"{table.table} {column_wish(here.inner)}", self._shared.names, fallback="words")
        while is_type_name(name):
            name = free_name(f"{name} value", self._shared.names, fallback="words")
        self._shared.names.add(name)
        self._shared.enums[name] = Enum(labels, [f"{len(labels)} words over {node.filled:,} values of {self._name}"])
        if alike := case_only(labels):
            notes.append(f"{CHECK}differ in case only: {', '.join(alike)}")
        return name

    def _is_required(self, here: _Here) -> bool:
        return here.always and self._whole

    def _rewrites(self, here: _Here, notes: list[str]) -> dict[str, Any]:
        """Return the rule that replaces ids inside of a JSON value."""
        rewrites: dict[str, str] = {}
        for path, one in sorted(self._shared.pointers.below(self._name, here.at).items()):
            target = one.targets[0]
            shown = _rewrite_path(path)
            if len(one.targets) > 1 or one.by is not None or self._shared.ids[target].keep or shown is None:
                notes.append(f"{'.'.join(path)} inside: {one.note()}".replace(CHECK, ""))
                continue
            rewrites[shown] = target
            notes.append(f"ids at {shown} are replaced: {one.note().replace(CHECK, '')}")
        return {"rewrite": rewrites} if rewrites else {}

    # References.

    def _reference(self, node: Node, here: _Here, table: Fields, one: Pointing) -> None:
        notes = [one.note()]
        if len(one.targets) > 1:
            self._route(here, table, node, one, notes)
            return
        found = one.certain and not one.orphans and not any(map(self._shared.beside.leaves_some, one.targets))
        required = self._is_required(here) and found and not _null_dbref(node)
        body: dict[str, Any] = {}
        wish = column_wish(here.inner)
        if one.by is not None:
            body = {"type": one.type, "references": pointer_text(one)}
        else:
            body = {"references": pointer_text(one)}
        if required:
            body |= {"required": True, "on_orphan": "dead_letter"}
        else:
            body["on_orphan"] = "null"
            if one.orphans:
                notes.append("orphans become NULL; isthmus orphans list tells their old values")
        body["unique" if (self._name, here.at) in self._shared.pointers.keys else "index"] = True
        if self._is_secret(here, node):
            body["sensitive"] = True
        self._mend_reference(node, one, body, notes)
        named = fold(wish)
        if one.by is None and here.arrays == 0 and not named.endswith(("_id", "_ref")):
            column = free_name(f"{wish} id", table.taken, fallback="reference_id")
            table.taken.add(column)
            rule = Rule(here.inner, {"column": column, **body}, notes)
            table.rules.append(rule)
            self._place(here, Place(table, rule, node, here.at, type="reference"))
            return
        self._add(node, here, table, body, notes, type_="reference")

    def _route(self, here: _Here, table: Fields, node: Node, one: Pointing, notes: list[str]) -> None:
        columns: dict[str, dict[str, Any]] = {}
        self._carried.append(count_refused(node))
        for target in one.targets:
            column = free_name(f"{column_wish(here.inner)} {target} id", table.taken, fallback="reference_id")
            table.taken.add(column)
            columns[target] = {"column": column, "index": True}
        counts = one.reference.several
        notes.append("one column for each collection: " + ", ".join(f"{name} {counts[name]:,}" for name in one.targets))
        body: dict[str, Any] = {"route": columns, "on_orphan": "null"}
        if self._is_secret(here, node):
            body["sensitive"] = True
        rule = Rule(here.inner, body, notes)
        table.rules.append(rule)
        self._place(here, Place(table, rule, node, here.at, type=None))

    def _references(self, node: Node, here: _Here, table: Fields, one: Pointing) -> bool:
        """Add an array of references; False where it must stay as it is."""
        arrays = node.arrays
        if set(node.kinds) != {"array"} or arrays is None or arrays.nested or len(one.targets) > 1:
            return False
        notes = [one.note()]
        if here.arrays or one.by is not None:
            type_ = one.type or self._shared.ids[next(iter(one.targets))].type
            if one.orphans:
                notes.append("orphans become NULL in their array; isthmus orphans list tells them")
            body: dict[str, Any] = {"type": f"{type_}[]", "references": pointer_text(one), "on_orphan": "null"}
            if self._is_secret(here, node):
                body["sensitive"] = True
            self._mend_reference(node, one, body, notes)
            self._add(node, here, table, body, notes, type_=f"{type_}[]")
            return True
        self._carried.append(count_refused(node))
        if one.orphans:
            notes.append("orphans have no pair; isthmus orphans list tells them")
        rule = Rule(here.inner, {"junction": ""}, notes)
        table.rules.append(rule)
        self._place(here, Place(table, rule, node, here.at, type=None))
        self.arrays.append((rule, one))
        return True


def _last(path: Path) -> str:
    return path[-1]


def pointer_text(one: Pointing) -> str:
    """Return what a reference names, as a mapping writes it."""
    return one.targets[0] if one.by is None else f"{one.targets[0]}.{show_path(one.by)}"


def _null_dbref(node: Node) -> bool:
    inner = node.fields.get("$id")
    return inner is not None and bool(inner.null)


def _names_below(node: Node) -> Iterator[Path]:
    """Yield the keys inside of a value that becomes one column."""
    children = [*node.fields.items()]
    if node.collapsed is not None:
        children.append((ANY_KEY, node.collapsed.node))
    if node.elements is not None:
        children.append((ELEMENT, node.elements))
    for key, child in children:
        yield (key,)
        yield from ((key, *path) for path in _names_below(child))


def _rewrite_path(path: Path) -> str | None:
    """Write a path as `rewrite` takes it; None where it has no word for it."""
    text = ""
    for key in path:
        if key == ELEMENT:
            text += ELEMENT
            continue
        if not key or key == ANY_KEY or key.endswith(ELEMENT) or _REPLACEMENT in key:
            return None
        escaped = key.replace("\\", "\\\\").replace(".", "\\.")
        text += f".{escaped}" if text else escaped
    return text
