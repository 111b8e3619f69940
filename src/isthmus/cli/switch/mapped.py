"""A collection of a mapping that is switched over: the engine's own copy and verification carry it.

Back it goes only as it came: columns are not the documents they were made of. So what the tables held at the flip is
kept as a digest of each, and the way back is open for as long as they hold the same.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnly
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.cli.switch.left import refuse_left
from isthmus.errors import MappingError, PolyglotError, Where

if TYPE_CHECKING:
    import threading

    from isthmus.cli.switch.moving import Asked
    from isthmus.mapping import Mapping
    from isthmus.mapping.resolutions import Resolutions
    from isthmus.polyglot.switch.carrier import Compared, Home
    from isthmus.polyglot.switch.ledger import Ledger
    from isthmus.polyglot.switch.place import Table
    from isthmus.sources.protocol import Source
    from isthmus.transfer.result import Result


def opened_mapping(
    asked: Asked, path: Path, source: Source, conninfo: str, ledger: Ledger, stop: threading.Event
) -> Mapped:
    """Read the mapping of a switch, and the answers to its identities.

    Args:
        asked: What the command was given.
        path: The mapping's file.
        source: MongoDB, as the engine reads it: all that was acknowledged before.
        conninfo: The target.
        ledger: Of the collection, held.
        stop: Ends a copy or a verification.

    Raises:
        IsthmusError: A file cannot be used.
    """
    from isthmus.mapping import load_mapping
    from isthmus.mapping.resolutions import resolutions_of

    mapping = load_mapping(path)
    return Mapped(
        asked, path, mapping, resolutions_of(path, mapping, asked.resolutions), source, conninfo, ledger, stop
    )


class Mapped:
    """A `Carrier` for a collection that a mapping turns into rows.

    Args:
        asked: What the command was given.
        path: The mapping's file.
        mapping: The mapping.
        resolutions: What people answered about its identities.
        source: MongoDB, as the engine reads it.
        conninfo: The target.
        ledger: Of the collection, held.
        stop: Ends a copy or a verification.
    """

    def __init__(
        self,
        asked: Asked,
        path: Path,
        mapping: Mapping,
        resolutions: Resolutions,
        source: Source,
        conninfo: str,
        ledger: Ledger,
        stop: threading.Event,
    ) -> None:
        self._asked = asked
        self._path = path
        self._mapping = mapping
        self._resolutions = resolutions
        self._source = source
        self._conninfo = conninfo
        self._ledger = ledger
        self._stop = stop

    @property
    def name(self) -> str:
        """As `Carrier.name`."""
        return f"mapping {self._path}"

    def table(self) -> Table | None:
        """As `Carrier.table`: a mapping has tables of its own."""
        return None

    def check(self, goal: Home) -> None:
        """As `Carrier.check`.

        Raises:
            MappingError: The mapping has no such collection, or could not copy what changed (code `switch-mapping`).
            PolyglotError: On the way back: what the tables held at the flip was not kept (code `switch-back-unknown`),
                or they were written since (`switch-back-written`).
        """
        collection = self._asked.collection
        if collection not in self._mapping.source_collections:
            known = ", ".join(self._mapping.source_collections)
            raise self._no_mapping(f"The mapping has no collection {collection}.", f"It has: {known}.")
        if self._mapping.target.tables != "existing":
            raise self._no_mapping(
                "The mapping makes its tables itself, so it carries all its collections or none.",
                "Let migrations make the tables, and say target: {tables: existing}.",
            )
        entries = [one for one in self._mapping.collections.values() if collection in one.source_names]
        if not all(one.rerun == "tracked" for one in entries):
            raise self._no_mapping(
                "The mapping does not remember what it carried, so it cannot copy what changed.",
                "Say target: {tables: existing, rerun: tracked}.",
            )
        if goal == "mongodb" and self._ledger.contents():
            self._refuse_written(self._contents())
        elif goal == "mongodb":
            raise PolyglotError(
                f"What the tables of {collection} held when it was switched over was not kept.",
                code="switch-back-unknown",
                where=Where(collection=collection),
                hint="It was switched with --table, or by hand. Give --table, or write a migration of its own.",
            )

    def ahead(self, goal: Home) -> ReadOnly[str, int] | None:
        """As `Carrier.ahead`. What an earlier copy left open is finished here, before anybody is kept waiting."""
        if goal == "mongodb":
            return None
        return self._counted(self._carried(self._copied()))

    def copy(self, goal: Home) -> ReadOnly[str, int]:
        """As `Carrier.copy`; on the way back nothing is copied.

        Raises:
            PolyglotError: Not all that MongoDB says is in the tables (code `switch-not-carried`).
        """
        if goal == "mongodb":
            return {"documents": 0, "written": 0, "removed": 0}
        result = self._copied()
        if result.resumed:  # it began before the freeze, so what it read may be old
            result = self._copied()
        return self._counted(self._carried(result))

    def verify(self, goal: Home) -> Compared:
        """As `Carrier.verify`: every document by both conversions; on the way back the tables must be what they were.

        Differences in tables of other collections are not this one's: these may be written all the time.

        Raises:
            PolyglotError: Rows were written since (code `switch-back-written`).
        """
        from isthmus.polyglot.switch.carrier import Compared, Difference
        from isthmus.verify.run import verify_database
        from isthmus.verify.subject import Options

        contents = self._contents()
        if goal == "mongodb":
            self._refuse_written(contents)
        result = verify_database(
            self._mapping,
            self._source,
            self._conninfo,
            mapping_name=self._path.name,
            mapping_text=self._path.read_text(encoding="utf-8"),
            options=Options(sample=None),
            stop=self._stop,
        )
        self._go_on()
        own = {*contents, self._asked.collection, ""}
        shown = [
            Difference(one.id or one.path, one.message)
            for layer in result.layers.values()
            for one in layer.differences
            if one.table in own
        ]
        shown += [Difference(layer.layer, layer.lacking) for layer in result.layers.values() if layer.lacking]
        total = sum(
            sum(count for (table, _), count in layer.places.items() if table in own) + bool(layer.lacking)
            for layer in result.layers.values()
        )
        read = (one.compared for one in result.layers["counts"].columns if one.table == self._asked.collection)
        return Compared(next(read, 0), shown, total, contents)

    def _copied(self) -> Result:
        from isthmus.cli.options import read_key
        from isthmus.transfer.job import Options
        from isthmus.transfer.run import copy_database, tell

        key = self._asked.id_key
        result = copy_database(
            self._mapping,
            self._source,
            self._conninfo,
            mapping_text=self._path.read_text(encoding="utf-8"),
            options=Options(
                only=(self._asked.collection,),
                resolutions=self._resolutions,
                id_key=read_key(key) if key is not None else None,
            ),
            stop=self._stop,
        )
        self._go_on()
        for broken in result.broken.values():
            raise broken
        tell(self._conninfo, result)
        return result

    def _carried(self, result: Result) -> Result:
        """Return the result of a copy behind which PostgreSQL holds what MongoDB says."""
        refuse_left(self._asked.collection, result, self._ledger.connection)
        return result

    def _go_on(self) -> None:
        from isthmus.work.interrupted import Interrupted

        if self._stop.is_set():
            raise Interrupted

    def _counted(self, result: Result) -> dict[str, int]:
        books = list(result.balance.collections.values()) if result.balance is not None else []
        return {
            "documents": sum(one.read for one in books),
            "written": 0 if result.repeated else sum(one.copied + one.merged for one in books),
            "removed": 0,
        }

    def _contents(self) -> dict[str, str]:
        """Return table → how many rows it holds, and a digest of them all."""
        from psycopg import sql

        from isthmus.mapping.plan import compile_plans
        from isthmus.mapping.plan_tables import plan_tables
        from isthmus.mapping.references import as_loaded
        from isthmus.mapping.tables import build_schema

        loaded = as_loaded(self._mapping)
        schema = build_schema(loaded)
        plan = compile_plans(loaded)[self._asked.collection]
        names = sorted({one.name for one in plan_tables(plan, schema) if one.kind != "pending"})
        found: dict[str, str] = {}
        for name in names:
            query = sql.SQL(
                "SELECT count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {} t"
            ).format(sql.Identifier(schema.schema, name))
            row: Any = self._ledger.connection.execute(query).fetchone()
            found[name] = str(row[0])
        return found

    def _refuse_written(self, contents: ReadOnly[str, str]) -> None:
        before = self._ledger.contents()
        other = [name for name in sorted({*before, *contents}) if before.get(name) != contents.get(name)]
        if other:
            raise PolyglotError(
                f"Rows of {', '.join(other)} were written since {self._asked.collection} came to live in PostgreSQL.",
                code="switch-back-written",
                where=Where(collection=self._asked.collection, table=other[0]),
                hint="Columns cannot be turned back into documents. Stay, or carry these rows over by a program of your"
                " own; nothing was dropped.",
            )

    def _no_mapping(self, words: str, hint: str) -> MappingError:
        where = Where(file=str(self._path), collection=self._asked.collection)
        return MappingError(words, code="switch-mapping", where=where, hint=hint)
