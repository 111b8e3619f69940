"""Runs the core and the reference oracle over the same documents and names every disagreement.

Compares: accepted, skipped or rejected; the first code and all causes (code and path) of a rejected document; every row
of every table, decoded from the core's COPY bytes, those that wait in pending tables too; id map entries; counts of
references, changes, leftovers, dropped fields; which replaced, normalised and linked values are listed; the accounting
identities of a batch.

Blind spots: those of the oracle (see its module) and of the decoder; messages and shortened values; duplicate keys are
counted by table, not by column; which of several bad texts in extras is named.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

from ruamel.yaml import YAML

from isthmus._rust import Batch, Transcoder
from isthmus.mapping import parse_mapping
from isthmus.mapping.plan import compile_plans
from isthmus.mapping.things import Things, with_things
from isthmus.state.became import untold
from isthmus.verify.became import folded
from isthmus.verify.reference import Expected, Reference, Type, bson
from isthmus.verify.reference.became import Word
from isthmus.verify.reference.bson import Value
from isthmus.verify.reference.forms import Form, form_of
from isthmus.verify.reference.reading import parse
from tests.oracle import copy_binary
from tests.oracle.copy_binary import JsonText, Kind
from tests.oracle.plans import PlanTable, enum_names, plan_tables

KEY = bytes(range(32))
NOW_US = 1_700_000_000_123_456
ENUM_OID = 4_242_424
MAX_CAUSES = 16
MALFORMED = ("bson", "bson-type", "nesting")


def yaml_text(mapping: dict[str, Any]) -> str:
    """A mapping as YAML, so that both readers start from the same text."""
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.representer.sort_base_mapping_type_on_output = False  # the order of entries and routes means something
    yaml.width = 1_000_000  # a plain key that is broken over two lines is none
    yaml.dump(mapping, out)
    return out.getvalue()


class Pair:
    """Core and oracle under one mapping, for the documents of one collection.

    Attributes:
        tables: The plan's tables, as the core counts them.
        roots: Numbers of those that are root tables: one for each flow.
    """

    def __init__(self, mapping: dict[str, Any], collection: str = "Main", things: Things | None = None) -> None:
        text = yaml_text(mapping)
        self.collection = collection
        self.oracle = Reference(parse(text), KEY, NOW_US, things)
        checked = parse_mapping(text)
        self.plan = compile_plans(checked if things is None else with_things(checked, things))[collection]
        self.tables = plan_tables(self.plan)
        self.roots = [table.number for table in self.tables if table.first]
        oids = dict.fromkeys(enum_names(self.plan), ENUM_OID)
        self.core = Transcoder(self.plan, KEY, NOW_US, enum_oids=oids)

    def rows(self, batch: Batch, table: PlanTable) -> list[tuple[Any, ...]]:
        """The core's rows of one table, decoded."""
        kinds = [Kind(column["type"]["kind"], column["type"]["array"]) for column in table.columns]
        found = list(copy_binary.rows(bytes(batch.copy_data(table.number)), kinds))
        assert len(found) == batch.rows(table.number)
        return found

    def table_rows(self, batch: Batch) -> dict[str, Counter[tuple[str, ...]]]:
        """Canonical rows by table name; what two fields or two flows feed is one table."""
        tables: dict[str, Counter[tuple[str, ...]]] = {}
        for table in self.tables:
            for row in self.rows(batch, table):
                tables.setdefault(table.name, Counter())[self.canonical_row(row, table)] += 1
        return tables

    def canonical_row(self, row: Sequence[Any], table: PlanTable) -> tuple[str, ...]:
        """A decoded row of one of the plan's tables in canonical form, sorted by column."""
        types = table.types(self.oracle)
        names = [column["name"] for column in table.columns]
        forms = (f"{name}={_actual_form(value, types[name])}" for name, value in zip(names, row, strict=True))
        return tuple(sorted(forms))

    def expected_rows(self, expected: Sequence[Expected]) -> dict[str, Counter[tuple[str, ...]]]:
        """The oracle's rows in the same form."""
        types = {table.name: table.types(self.oracle) for table in self.tables}
        tables: dict[str, Counter[tuple[str, ...]]] = {}
        for one in expected:
            for table, rows in {**one.rows, **one.pending}.items():
                for row in rows:
                    forms = [f"{name}={form_of(value, types[table][name])}" for name, value in row.items()]
                    tables.setdefault(table, Counter())[tuple(sorted(forms))] += 1
        return tables

    def disagreements(self, documents: Sequence[bytes]) -> list[str]:
        """Sentences, one for each thing the two say differently; empty when they agree."""
        batch = self.core.transcode(b"".join(documents))
        expected = [self.oracle.expected(self.collection, document) for document in documents]
        found = [*accounting(batch, documents, self.roots), *self._fates(batch, expected)]
        kept = [one for one in expected if one.rejected is None and one.skipped is None]
        core_rows, oracle_rows = self.table_rows(batch), self.expected_rows(kept)
        for table in core_rows.keys() | oracle_rows.keys():
            core, oracle = core_rows.get(table, Counter()), oracle_rows.get(table, Counter())
            found += [f"{table}: only the core has {list(row)}" for row in core - oracle]
            found += [f"{table}: only the oracle has {list(row)}" for row in oracle - core]
        core_map = {(c, bytes(s), i, o) for c, s, i, o in batch.id_map}
        oracle_map = {entry for one in kept for entry in one.journal.id_map}
        found += [f"id map: only the core has {entry}" for entry in core_map - oracle_map]
        found += [f"id map: only the oracle has {entry}" for entry in oracle_map - core_map]
        return found + self._counts(batch, kept) + self._listed(batch, expected)

    def _fates(self, batch: Batch, expected: Sequence[Expected]) -> list[str]:
        found: list[str] = []
        rejects = {reject.document: reject for reject in batch.rejects}
        skipped = Counter(one.skipped for one in expected if one.skipped is not None)
        malformed = [one for one in expected if one.rejected and one.rejected[0][0] in MALFORMED]
        if dict(skipped) != dict(batch.skips) and not malformed:
            found.append(f"skips: core {batch.skips}, oracle {dict(skipped)}")
        for number, one in enumerate(expected):
            reject = rejects.get(number)
            causes = [(cause.code, cause.path) for cause in reject.causes] if reject else None
            wanted = one.rejected
            if wanted and wanted[0][0] in MALFORMED:
                # What a condition leaves out is not read to its end; all else that is broken must be refused.
                if not batch.skipped and wanted[0][0] not in [code for code, _ in causes or ()]:
                    found.append(f"document {number}: core {causes}, oracle {wanted}")
            elif causes is None or wanted is None:
                if causes != wanted:
                    found.append(f"document {number}: core {causes}, oracle {wanted}")
            elif causes[0][0] != wanted[0][0] or (
                max(len(causes), len(wanted)) < MAX_CAUSES and sorted(causes) != sorted(wanted)
            ):
                if one.journal.extras.total() > 1 and _texts_counted(causes) == _texts_counted(wanted):
                    continue
                found.append(f"document {number}: core {causes}, oracle {wanted}")
        return found

    def _counts(self, batch: Batch, kept: Sequence[Expected]) -> list[str]:
        found: list[str] = []
        core = batch.counts()
        for group, attribute in [("references", "references"), ("extras", "extras"), ("dropped", "dropped")]:
            total: Counter[str] = Counter()
            for one in kept:
                total.update(getattr(one.journal, attribute))
            wanted = {name: count for name, count in total.items() if count}
            if dict(core.get(group, {})) != wanted:
                found.append(f"{group}: core {dict(core.get(group, {}))}, oracle {wanted}")
        adjusted: Counter[str] = Counter()
        for one in kept:
            adjusted.update(one.journal.adjusted)
        core_adjusted, oracle_adjusted = _by_table(core.get("adjusted", {})), _by_table(adjusted)
        if core_adjusted != oracle_adjusted:
            found.append(f"adjusted: core {dict(core_adjusted)}, oracle {dict(oracle_adjusted)}")
        return found + self._became(batch, kept)

    def _became(self, batch: Batch, kept: Sequence[Expected]) -> list[str]:
        """What values became where the mapping names it; that the sum is what `adjusted` says, too."""
        found: list[str] = []
        total: Counter[tuple[str, Word, Word]] = Counter()
        for one in kept:
            total.update(one.journal.became)
        core = batch.became()
        if rest := untold(batch.counts()["adjusted"], core):
            found.append(f"became: not told apart {rest}")
        for name in core.keys() | {name for name, _, _ in total}:
            shown = folded(core.get(name, {}))
            wanted = Counter({(was, became): count for (at, was, became), count in total.items() if at == name})
            if shown != wanted:
                found.append(f"became at {name}: core {dict(shown)}, oracle {dict(wanted)}")
        return found

    def _listed(self, batch: Batch, expected: Sequence[Expected]) -> list[str]:
        """Texts that were normalised and values that were replaced, as far as they are listed, with their originals."""
        kinds = ("normalised", "value_mapped", "linked")
        core: dict[tuple[int, str, str], list[str]] = {}
        for one in batch.adjustments:
            if one.kind in kinds:
                place = f"{one.table}.{one.column}" if one.column else one.table
                core.setdefault((one.document, place, one.kind), []).append(one.original)
        oracle: dict[tuple[int, str, str], list[str]] = {}
        for number, one in enumerate(expected):
            if one.rejected is None and one.skipped is None:
                for place, kind, value in one.journal.listed:
                    oracle.setdefault((number, place, kind), []).append(_original(value))
        found: list[str] = []
        for key in core.keys() | oracle.keys():
            shown, wanted = core.get(key, []), oracle.get(key, [])
            if len(shown) != len(wanted) or not {text for text in wanted if _is_plain(text)} <= set(shown):
                found.append(f"listed {key}: core {shown}, oracle {wanted}")
        return found


def _texts_counted(causes: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Causes, those of bad texts by number only."""
    return sorted(("text", "") if code in ("nul", "utf8") else (code, path) for code, path in causes)


def _original(value: Value) -> str:
    return value.data.decode("utf-8", "replace") if value.type in (bson.STRING, bson.SYMBOL) else ""


def _is_plain(original: str) -> bool:
    """Whether a text is shown as it is in a ledger: short, and nothing in it that is shown otherwise."""
    return 0 < len(original) < 40 and original.isprintable() and original.isascii()


def _by_table(counts: dict[str, int] | Counter[str]) -> Counter[str]:
    """Duplicate keys by table: which level met one is a matter of how a document is walked."""
    folded: Counter[str] = Counter()
    for name, count in counts.items():
        place, _, kind = name.rpartition(":")
        folded[f"{place.partition('.')[0]}:{kind}" if kind == "duplicate_key" else name] += count
    return folded


def _actual_form(value: Any, kind: Type) -> Form:
    from isthmus.verify.reference.documents import Json
    from isthmus.verify.reference.json_values import parse_json

    return form_of(Json(parse_json(value)) if isinstance(value, JsonText) else value, kind)


def accounting(batch: Batch, documents: Sequence[bytes], roots: Sequence[int] = (0,)) -> list[str]:
    """The identities every batch must keep; `roots` are the numbers of its root tables."""
    found: list[str] = []
    whole = b"".join(documents)
    if batch.documents != len(documents) or batch.bytes_in != len(whole):
        found.append(f"{batch.documents} documents and {batch.bytes_in} bytes were counted")
    if batch.documents != batch.accepted + batch.skipped + len(batch.rejects):
        found.append("the documents do not add up")
    if batch.skipped != sum(batch.skips.values()):
        found.append("the skips do not add up")
    root_rows = sum(batch.rows(number) for number in roots)
    if root_rows != batch.accepted:
        found.append(f"{batch.accepted} accepted documents have {root_rows} root rows")
    at = 0
    for number, document in enumerate(documents):
        if batch.offset(number) != at:
            found.append(f"document {number} is said to be at {batch.offset(number)}, not {at}")
        at += len(document)
    for reject in batch.rejects:
        if (reject.offset, reject.length) != (batch.offset(reject.document), len(documents[reject.document])):
            found.append(f"the rejected document {reject.document} has another place")
        if not 0 < len(reject.causes) <= MAX_CAUSES:
            found.append(f"the rejected document {reject.document} has {len(reject.causes)} causes")
    if len(batch.document_digests) != 16 * len(documents):
        found.append("not every document has a digest")
    return found
