"""Advise where each collection could go, by questions whose answers are counted. Pure.

The framework: identity, a need for foreign keys, transactions, relational queries and being referenced by others speak
for rows and columns; flexible, nested and varied documents and content speak for documents (JSONB, or MongoDB for
now). Each answer weighs one to three points; the sum decides. It is advice: what an application does with a
collection is not in its data.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from isthmus.survey.advice import Advice, Reason, Verdict
from isthmus.survey.model import Survey, Surveyed
from isthmus.survey.profile import ANY_KEY, ELEMENT, Node, Path, Texts
from isthmus.survey.reference import Reference
from isthmus.survey.report.words import path_text
from isthmus.survey.sensitive_names import is_sensitive
from isthmus.survey.similar import words
from isthmus.work.amounts import plural, share_text, size_text
from isthmus.work.listed import listed

_LONG_TEXT_BYTES = 2000
_MARKUP_BYTES = 200
_LARGE_DOCUMENT_BYTES = 4096
_LARGE_BINARY_BYTES = 65_536
_FEW_LABELS = 20
"""Most different values of a field that says in which state a document is."""
_NAMED = 3
"""Most fields that a reason names."""

_MONEY = frozenset(
    {"amount", "price", "total", "balance", "cost", "fee", "paid", "tax", "payment", "quantity", "stock"}
)
_STATE = frozenset(word for name in ("status", "state", "stage", "phase") for word in words(name))
_BEGIN = frozenset({"start", "begin", "from", "check", "starts", "since"})
_END = frozenset({"end", "until", "to", "ends", "till"})
_NUMBERS = frozenset({"int", "long", "double", "decimal"})


@dataclass(frozen=True)
class _Looked:
    """A collection with what the questions ask for.

    Attributes:
        one: What was found in it.
        fields: Its fields with names, `_id` left out: inside of sub-documents too, not inside of arrays.
        out: References that it holds.
        into: References of other collections that point at it.
    """

    one: Surveyed
    fields: tuple[tuple[Path, Node], ...]
    out: tuple[Reference, ...]
    into: tuple[Reference, ...]

    @property
    def top(self) -> tuple[tuple[Path, Node], ...]:
        return tuple((path, node) for path, node in self.fields if len(path) == 1)


_PIECES = Advice("stay", (Reason("gridfs", "document", 3, "holds pieces of files (GridFS): content"),))


def advise(survey: Survey) -> dict[str, Advice]:
    """Return the advice for each collection."""
    pieces = {f"{bucket}.chunks" for bucket in survey.buckets}
    return {name: _PIECES if name in pieces else _advise(_look(survey, name)) for name in survey.collections}


def _look(survey: Survey, name: str) -> _Looked:
    one = survey.collections[name]
    meant = [ref for ref in survey.references if not ref.doubt]
    return _Looked(
        one=one,
        fields=tuple(
            (path, node)
            for path, node in one.profile.walk()
            if path[0] != "_id" and ELEMENT not in path and ANY_KEY not in path
        ),
        out=tuple(ref for ref in meant if ref.collection == name),
        into=tuple(ref for ref in meant if ref.collection != name and name in _targets(ref)),
    )


def _targets(ref: Reference) -> set[str]:
    return set(ref.several) or {ref.to.collection}


def _advise(found: _Looked) -> Advice:
    if not found.one.profile.documents:
        return Advice("undecided", (Reason("empty", "neither", 0, "no documents to tell from"),))
    questions = (_identity, _referenced, _foreign_keys, _transactional, _queries, _uniform)
    others = (_flexible, _nested, _varied, _content, _passing, _alone)
    reasons = [reason for ask in (*questions, *others) for reason in ask(found)]
    relational = sum(reason.points for reason in reasons if reason.side == "relational")
    document = sum(reason.points for reason in reasons if reason.side == "document")
    connected = any(reason.rule in {"identity", "referenced", "foreign-keys"} for reason in reasons)
    verdict: Verdict = "relational" if relational > document else "jsonb" if connected else "stay"
    mine = "relational" if verdict == "relational" else "document"
    return Advice(verdict, tuple(sorted(reasons, key=lambda one: (one.side != mine, -one.points))))


def _identity(found: _Looked) -> Iterator[Reason]:
    near = [(path, node) for path, node in found.fields if len(path) <= 2]
    emails = [path for path, node in near if _is_email(node)]
    secrets = [path for path, node in near if is_sensitive(path) and set(node.kinds) & {"string", "binData"}]
    unique = {key[0] for key in _index_keys(found.one, unique=True) if len(key) == 1}
    known = [path for path in emails if ".".join(path) in unique]
    if emails and secrets:
        text = f"has e-mail and secret fields ({_names([emails[0], *secrets])}): identity"
        yield Reason("identity", "relational", 3, text)
    elif known:
        yield Reason("identity", "relational", 2, f"a unique index on e-mail addresses ({_names(known)}): identity")
    elif secrets and found.out:
        whose = _names([(goal,) for goal in sorted({ref.to.collection for ref in found.out})])
        yield Reason("identity", "relational", 2, f"secret fields ({_names(secrets)}) of {whose}: signing in")


def _is_email(node: Node) -> bool:
    return node.texts is not None and node.texts.email >= 0.9 * max(1, node.filled - node.texts.empty)


def _referenced(found: _Looked) -> Iterator[Reason]:
    holders = {ref.collection for ref in found.into}
    values = sum(ref.several.get(found.one.info.name, ref.hits) for ref in found.into)
    if holders:
        points = 3 if len(holders) >= 3 else 2
        text = f"referenced by {plural(len(holders), 'collection')} ({plural(values, 'value')})"
        yield Reason("referenced", "relational", points, text)


def _foreign_keys(found: _Looked) -> Iterator[Reason]:
    if not found.out:
        return
    goals = {goal for ref in found.out for goal in _targets(ref)}
    values, orphans = sum(ref.values for ref in found.out), sum(ref.orphans for ref in found.out if not ref.sampled)
    fields = plural(len(found.out), "field")
    what = f"refers to {plural(len(goals), 'collection')} by {fields} ({plural(values, 'value')}): foreign keys"
    yield Reason("foreign-keys", "relational", 2 if len(goals) > 1 else 1, what)
    if orphans:
        lost = f"{plural(orphans, 'of these values leads', 'of these values lead')} nowhere"
        yield Reason("orphans", "relational", 1, f"{lost} ({share_text(orphans, values)}): a foreign key refuses that")


def _transactional(found: _Looked) -> Iterator[Reason]:
    money = [path for path, node in found.fields if _is_amount(path, node)]
    states = [path for path, node in found.fields if _is_state(path, node)]
    dates = [path for path, node in found.fields if "date" in node.kinds]
    begins = [path for path in dates if set(words(path[-1])) & _BEGIN]
    ends = [path for path in dates if set(words(path[-1])) & _END]
    parts: list[str] = []
    if money:
        parts.append(f"amounts ({_names(money)})")
    if states:
        parts.append(f"states ({_names(states)})")
    if begins and ends:
        parts.append(f"periods ({_names([begins[0], ends[0]])})")
    if parts:
        text = f"holds {' and '.join(parts)}: what changes in transactions"
        yield Reason("transactional", "relational", min(2, len(parts)), text)


def _is_amount(path: Path, node: Node) -> bool:
    if not node.kinds or not set(node.kinds) <= _NUMBERS:
        return False
    return "decimal" in node.kinds or bool(set(words(path[-1])) & _MONEY)


def _is_state(path: Path, node: Node) -> bool:
    said = set(words(path[-1])[-1:]) & _STATE
    return bool(said) and "string" in node.kinds and 1 < node.distinct <= _FEW_LABELS


def _queries(found: _Looked) -> Iterator[Reason]:
    keys = [key for key in _index_keys(found.one) if set(key) != {"_id"}]
    compound = sum(len(key) > 1 for key in keys)
    if len(keys) >= 3 or compound:
        more = f", {compound} over several fields" if compound else ""
        text = f"{plural(len(keys), 'index', 'indexes')} beside that of _id{more}: queried by more than its id"
        yield Reason("queries", "relational", 1, text)
    many = [ref for ref in found.out if ref.cardinality == "many-to-many"]
    if many:
        text = f"{plural(len(many), 'many-to-many relation')} ({_names([ref.path for ref in many])}): joins"
        yield Reason("many-to-many", "relational", 1, text)


def _index_keys(one: Surveyed, *, unique: bool = False) -> Iterator[tuple[str, ...]]:
    for index in one.info.indexes:
        key = index.get("key")
        if isinstance(key, dict) and (index.get("unique") or not unique):
            yield tuple(map(str, key))  # pyright: ignore[reportUnknownArgumentType]


def _uniform(found: _Looked) -> Iterator[Reason]:
    even = sum(not node.missing and len(node.kinds) <= 1 for _, node in found.top)
    if found.top and even >= 0.8 * len(found.top):
        flat = even == len(found.one.profile.root.fields) - 1 == sum(1 for _ in found.one.profile.walk()) - 1
        text = f"{even} of {plural(len(found.top), 'field')} are in every document, of one type each: columns fit"
        if len(found.top) == 1:
            text = "its one field is in every document, of one type: a column fits"
        yield Reason("uniform", "relational", 2 if flat else 1, text)


def _flexible(found: _Looked) -> Iterator[Reason]:
    rare = sum(2 * node.holders < node.parents for _, node in found.fields)
    if rare >= 2 and 4 * rare >= len(found.fields):
        share = f"{share_text(rare, len(found.fields))} of its fields ({rare} of {len(found.fields)})"
        points = 2 if 2 * rare >= len(found.fields) else 1
        yield Reason("flexible", "document", points, f"{share} are in fewer than half of the documents")


def _nested(found: _Looked) -> Iterator[Reason]:
    paths = [path for path, _ in found.one.profile.walk() if path[0] != "_id" and path[-1] not in {ELEMENT, ANY_KEY}]
    inner = [path for path in paths if len(path) > 1]
    if len(inner) >= 3 and 2 * len(inner) >= len(paths):
        depth = max(sum(step != ELEMENT for step in path) for path in inner)
        text = f"{len(inner)} of {len(paths)} fields lie inside of others, up to {depth} levels deep"
        yield Reason("nested", "document", 2 if depth >= 3 and 3 * len(inner) >= 2 * len(paths) else 1, text)


def _varied(found: _Looked) -> Iterator[Reason]:
    several = [path for path, node in found.fields if len(_families(node)) > 1]
    if several:
        points = 2 if 10 * len(several) >= 3 * len(found.fields) else 1
        hold = plural(len(several), "field holds", "fields hold")
        yield Reason("varied-types", "document", points, f"{hold} values of several types ({_names(several)})")
    shapes = [path for path, node in found.fields if _differs_in_shape(node)]
    if shapes:
        hold = plural(len(shapes), "field is a whole document", "fields are whole documents")
        points = min(2, len(shapes))
        yield Reason("varied-shapes", "document", points, f"{hold} of different shapes ({_names(shapes)})")
    root = found.one.profile.root.collapsed
    free = [path for path, node in found.one.profile.walk() if node.collapsed is not None]
    if root is not None:
        text = f"keys of the documents are data ({root.keys:,} different ones)"
        yield Reason("keys-are-data", "document", 2, text)
    elif free:
        have = plural(len(free), "field has", "fields have")
        yield Reason("keys-are-data", "document", 1, f"{have} keys that are data, not names ({_names(free)})")


def _families(node: Node) -> set[str]:
    return {"number" if kind in _NUMBERS else kind for kind in node.kinds}


def _differs_in_shape(node: Node) -> bool:
    holders = node.kinds.get("object", 0)
    some = sum(10 * child.holders < 9 * child.parents for child in node.fields.values())
    return holders > 1 and len(node.fields) >= 3 and 2 * some >= len(node.fields)


def _content(found: _Looked) -> Iterator[Reason]:
    nodes = [(path, node) for path, node in found.one.profile.walk() if path[0] != "_id"]
    texts = {path: node.texts.length[1] for path, node in nodes if node.texts and _is_long(node.texts)}
    if texts:
        named, most = _names(list(texts)), plural(max(texts.values()), "character")
        yield Reason("content", "document", 1, f"holds long texts ({named}; up to {most}): content")
    files = {path: node.binaries.length[1] for path, node in nodes if node.binaries}
    if files and max(files.values()) >= _LARGE_BINARY_BYTES:
        text = f"holds files ({_names(list(files))}; up to {size_text(max(files.values()))} in one value)"
        yield Reason("files", "document", 2, text)
    mean = found.one.profile.bytes / found.one.profile.documents
    if mean >= _LARGE_DOCUMENT_BYTES:
        yield Reason("large", "document", 1, f"its documents are large: {size_text(mean)} on average")


def _is_long(texts: Texts) -> bool:
    return texts.bytes_max >= _LONG_TEXT_BYTES or (texts.html > 0 and texts.bytes_max >= _MARKUP_BYTES)


def _passing(found: _Looked) -> Iterator[Reason]:
    if found.one.info.kind == "capped":
        yield Reason("capped", "document", 1, "capped: old documents make room for new ones, which no table does")
    if any("expireAfterSeconds" in index for index in found.one.info.indexes):
        yield Reason("expires", "document", 1, "its documents expire by a TTL index, which no table has")


def _alone(found: _Looked) -> Iterator[Reason]:
    if not found.out and not found.into:
        yield Reason("alone", "document", 1, "refers to nothing, and nothing refers to it")


def _names(paths: Sequence[Path]) -> str:
    """Return fields by name, a few of many: `body, summary, note and 4 more`."""
    return listed([path_text(path) for path in paths], _NAMED)
