"""The Rust core: BSON and a compiled mapping in; COPY bytes, digests and rejects out.

All long calls release the GIL. A fault of the core itself becomes `InternalError`; a signal that arrives during a
call is raised after it. `bytes` are read in place, any other buffer is copied first. All objects but `Profiler`,
`Prober`, `Digester` and `Finder` are read-only and may be shared between threads.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, final

from typing_extensions import Buffer

@final
class Transcoder:
    """A compiled plan that turns documents into COPY rows.

    Args:
        plan: The plan of one source collection, JSON text as `isthmus.mapping.plan.compile_plans` makes it.
        key: The target's id key, 32 bytes.
        now_us: The run's start in µs since 1970-01-01 UTC; what the default `now` fills in.
        enum_oids: OID of each enum type by its name in the plan; needed only by columns that are arrays of an enum.
            Without them such a plan can be checked, not used.

    Raises:
        MappingError: The plan contradicts itself (code `plan`), or a default, a constant, a label or a value of
            `values` does not fit its own column even with coercion (code `default`); `where.table` names table and
            column.
    """

    def __init__(self, plan: str, key: bytes, now_us: int, *, enum_oids: Mapping[str, int] | None = None) -> None: ...
    def transcode(self, documents: Buffer) -> Batch:
        """Turn whole documents, back to back, into rows, rejects and books.

        Args:
            documents: Raw BSON; may be empty.

        Raises:
            SourceError: The lengths do not add up to whole documents (code `broken-framing`). Nothing is carried.
            InternalError: The OID of an enum array was not given (code `enum-oids`). Nothing is carried.
        """

    def find(self, documents: Buffer, ids: Sequence[bytes | str]) -> list[tuple[int, int, int]]:
        """Return offset, length and which of `ids` it is, for each document whose id is among them, in stored order.

        Each document is asked by the id column of the shape that takes it; one that no shape takes is passed over.

        Args:
            documents: Raw BSON, whole documents back to back.
            ids: Ids as their column holds them: `bytes` are compared with the column's binary form (16 bytes of a
                uuid), `str` with its text form. Unknown ids find nothing.

        Raises:
            SourceError: As `transcode`.
        """

@final
class Batch:
    """What one block of documents became.

    `documents == accepted + skipped + len(rejects)` always holds.
    """

    @property
    def documents(self) -> int:
        """Documents in the block."""

    @property
    def accepted(self) -> int:
        """Documents whose rows are in the tables; each is carried whole."""

    @property
    def skipped(self) -> int:
        """Documents left out by a condition of the mapping."""

    @property
    def bytes_in(self) -> int:
        """Bytes of the block."""

    @property
    def rejects(self) -> list[Reject]:
        """Documents that were not carried, in stored order; none of their rows is in any table. Made on each access."""

    @property
    def skips(self) -> dict[str, int]:
        """Documents by the reason of their skip; reasons without a document are not in it."""

    @property
    def tables(self) -> list[str]:
        """Table names, shape after shape in the order of the plan; the methods below take the position in this list.

        A name may come more than once, when several shapes fill one table.
        """

    def rows(self, table: int) -> int:
        """Return how many rows a table gets."""

    def size(self, table: int) -> int:
        """Return the bytes of a table's COPY rows, without header and trailer."""

    def copy_data(self, table: int) -> memoryview:
        """Return a table's COPY rows, without header and trailer: the batch's own bytes, read-only, not a copy."""

    def offset(self, document: int) -> int:
        """Return the byte offset of a document, counted from 0; of one past the last, the size of the block."""

    @property
    def id_map(self) -> list[tuple[str, bytes, str, Literal["document", "reference"]]]:
        """Ids that cannot be turned back with the key alone, each once: collection, `{"_id": value}` as BSON, the id's
        text, and whether the value was a document's own or was met in a reference."""

    @property
    def adjustments(self) -> list[Adjustment]:
        """Changed values whose original cannot be computed from what was written. Made on each access."""

    def counts(self) -> dict[str, dict[str, int]]:
        """Return the books of the accepted documents; names that count 0 are not in it.

        Groups: `adjusted` ("TABLE.COLUMN:kind" or, without a column, "TABLE:kind"), `references` (values that are not
        null, by "TABLE.COLUMN", of routes once a value by "TABLE.FIRST|SECOND", of values that wait in a pending table
        by the column they wait for, of rewritten ids by "TABLE.COLUMN.path"; of junctions after equal pairs of one
        array were folded), `references_met` (the same before folding), `extras` and `dropped` (by path from the
        document down, without positions, as in `Cause.path`; of `extras` beyond a thousand different paths under
        "(other paths)"), `fields_null` and `fields_missing` (by "TABLE.COLUMN").
        """

    def became(self) -> dict[str, dict[str, int]]:
        """Return what values of the accepted documents became where the mapping names it.

        By name, then by `WAS → BECAME`: how often.

        Names are those of the kinds `value_mapped` and `default` in the group `adjusted` of `counts`, which is the
        sum of each; there are no more of the inner names than the mapping has words. Values stand as in JSON, texts
        in quotes and cut behind 200 characters; `missing`, `null`, `*` (any other value), `now`, `id_time` and
        `(hidden)`, in place of the values of a sensitive column, have no quotes.
        """

    @property
    def digest(self) -> bytes:
        """blake3 of the block, 32 bytes."""

    @property
    def document_digests(self) -> bytes:
        """Sixteen bytes a document, in order: `document_digest` of the canonical `_id` value (zeros without a readable
        one), then of the document."""

@final
class Reject:
    """A document that was not carried."""

    @property
    def document(self) -> int:
        """Its number in the block, from 0."""

    @property
    def offset(self) -> int:
        """Bytes from the start of the block."""

    @property
    def length(self) -> int:
        """Bytes of the document."""

    @property
    def source_id(self) -> bytes | None:
        """`{"_id": value}` as BSON, when the `_id` could be read."""

    @property
    def causes(self) -> list[Cause]:
        """One to sixteen causes; the first is the headline."""

@final
class Cause:
    """One thing wrong with one document."""

    @property
    def code(self) -> str:
        """Stable slug, such as `type` or `out-of-range`."""

    @property
    def path(self) -> str:
        """Keys with dots between, array positions as numbers; empty for the whole document.

        A dot or a backslash inside a key has a backslash before it; an empty key is `""`.
        """

    @property
    def bson_type(self) -> str:
        """MongoDB's name of the value's type; `missing` when there is none, `unknown` for bytes that are not BSON."""

    @property
    def column(self) -> str | None:
        """The column that refused, as "TABLE.COLUMN"; of a route "TABLE.FIRST|SECOND"."""

    @property
    def value(self) -> str:
        """At most 80 characters of the value; "(hidden)" when it must not be shown."""

    @property
    def message(self) -> str:
        """A full sentence."""

@final
class Adjustment:
    """A changed value whose original is lost from the target."""

    @property
    def document(self) -> int:
        """Number of the document in the block, from 0."""

    @property
    def table(self) -> str: ...
    @property
    def column(self) -> str: ...
    @property
    def position(self) -> int | None:
        """Of a child row: its position in its array, from 0."""

    @property
    def kind(self) -> str:
        """`coerced`, `rounded`, `nul_removed`, `utf8_replaced`, `nan_null`, `range_null`, `range_infinity`,
        `normalised` or `value_mapped`."""

    @property
    def original(self) -> str:
        """At most 200 characters of the value as it was; "(hidden)" in a sensitive column."""

@final
class Profiler:
    """Counts what a collection, or a part of it, holds: path by path, in bounded memory.

    Not for two threads at once: the second call raises `RuntimeError`. Let each thread fill its own and merge them.

    Args:
        limits: JSON object; what is not named has its default. `paths` (20000) that are followed, `keys` (256) that the
            documents at one path may have before they count together, `key_bytes` (1024) of the longest key that is
            followed, `values` (64) that are kept at one path, `value_bytes` (80) of the longest text among them,
            `sketch` (256) hashes of values at one path, `ids_bytes` (64 MiB) of the set of ids, `expected` (0: four
            times as many as fit exactly) ids in it.

    Raises:
        ValueError: The limits are no such object.
    """

    def __init__(self, limits: str = "{}") -> None: ...
    def read(self, documents: Buffer) -> int:
        """Count whole documents, back to back, and return how many there were.

        Of a document that is malformed or nests too deep only that is counted (`broken` of the result): a copy would
        not carry it either.

        Args:
            documents: Raw BSON; may be empty.

        Raises:
            SourceError: The lengths do not add up to whole documents (code `broken-framing`). The documents before
                `offset` of the context are counted.
        """

    def merge(self, other: Profiler) -> None:
        """Take over what another one counted; it is empty afterwards.

        In whatever order profiles are merged, they say the same, but for the order of `fields` and for what lies beyond
        the limit of paths.

        Raises:
            ValueError: The other has other limits. Nothing is changed.
        """

    def result(self) -> str:
        """Return everything counted so far, as JSON. Counts of zero and empty members are left out.

        `documents` (readable ones), `broken` (the others by code), `bytes`, `sizes` (`min`, `max`, `total`), `root` (a
        node), `odd_keys` (`dot`, `dollar` but for DBRefs, `empty`, `long` beyond 63 bytes, `invalid_utf8`, `duplicate`:
        up to twenty [path, documents], most first) with `odd_totals`, `unlisted` values beyond the limit of paths,
        `refused` (values that PostgreSQL or a plain column does not take: `nul`, `nan`, `infinite`, `out_of_range`,
        `invalid_utf8`, `decimal_special`), `path_limit` (true when paths were left out), `id` (`types`, `missing`).

        A node: `present` values, `types` (by MongoDB's names), `parents` and `with` (documents, of elements arrays,
        that could have it and that have it), by type `string`, `integer`, `double`, `decimal`, `date`, `array`,
        `document` and `binary`, `true`, `false`, `duplicate_keys` (documents), `values` (all different ones, most
        frequent first, as [{"s" | "i" | "d" | "b" | "o": value}, count]) or `many`, `distinct` and `sketch` (the lowest
        64-bit hashes of texts, numbers, ObjectIds, dates and UUIDs, as hexadecimal text; equal for values that MongoDB
        calls equal),
        `unlisted`, `oversize_key` (values under keys that are too long), `fields` (key to node, in order of first
        appearance), `collapsed` (instead, when there are more keys than the limit or at least 16 that all look like
        data: `keys`, `examples`, `look`, `node`; `_id` of whole documents stays in `fields`), `elements` (a node).
        """

    def ids(self) -> IdSet:
        """Take the `_id`s out; documents that are read later start a new set."""

@final
class IdSet:
    """The `_id`s of a collection, or the values of a path, to look values up in.

    ObjectIds are held as they are, all other values by 128 bits of their hash. When they no longer fit into their
    bytes, a Bloom filter takes their place, which takes some values for members that are none.
    """

    def describe(self) -> str:
        """Return JSON: `count`, `exact`, and `false_positives`, the share of foreign values taken for members, computed
        from the filter's bits."""

    def contains(self, id_document: bytes) -> bool:
        """Return whether the value of a document `{"_id": value}` is in.

        Raises:
            ConversionError: The bytes are not such a document.
        """

    def __len__(self) -> int: ...

@final
class Prober:
    """Looks the values at given paths up in sets: where they could lead.

    Not for two threads at once: the second call raises `RuntimeError`. Let each thread fill its own and merge them.

    Args:
        plan: JSON object. `own`: position of the set with the ids of this collection, or null. `probes`: objects of
            `path` (keys; `[]` leads through an array and through nothing else, a key through a document and through
            nothing else, `*` through every key of a document, of whole documents all but `_id`), `forms` (`oid`: an
            ObjectId; `hex`: a text of 24 hexadecimal digits as the ObjectId that it writes; `dbref`: the `$id` of a
            DBRef; `value`: any other value but an array), `sets` (positions) and, if wanted, `collections` (of which
            collection each of them holds the ids: a DBRef is looked up only where it says). `collect`: objects of
            `path` and `set`, the name of the set that its values go into; nulls and arrays do not. `limits`: as
            `Profiler`; `ids_bytes` and `expected` bound each collected set.
        sets: What the plan names by position. Pairs of two collections compare only between probers that were given
            the same sets in the same order.

    Raises:
        ValueError: The plan is no such object, or names a set that is not there.
    """

    def __init__(self, plan: str, sets: Sequence[IdSet]) -> None: ...
    def read(self, documents: Buffer) -> int:
        """Look the values of whole documents up, back to back, and return how many documents there were.

        Of a document that is malformed or nests too deep only that is counted.

        Args:
            documents: Raw BSON; may be empty.

        Raises:
            SourceError: As `Profiler.read`.
        """

    def merge(self, other: Prober) -> None:
        """Take over what another one counted; it is empty afterwards.

        Raises:
            ValueError: The other has another plan or other sets. Nothing is changed.
        """

    def result(self) -> str:
        """Return everything counted so far, as JSON. Counts of zero are left out but for `values`.

        `documents`, `broken` (by code) and, in the order of the plan, `probes`: `values` that are not null, `null`,
        `forms` (of those that were met: `values`, `hits` by position of the set, `misses`, `several` values in more
        than one set, up to five missed `examples` as Extended JSON, of DBRefs `collections` by name and
        `other_collections`), `distinct` values that have one of the forms, and, where `own` is given, `pairs_distinct`
        and `pairs`: the lowest 64-bit hashes, as hexadecimal text, of each document with each member that its values
        hit, the same from either side.
        """

    def sets(self) -> dict[str, IdSet]:
        """Take the collected sets out, by name; documents that are read later start new ones."""

@final
class Digester:
    """Adds up digests of what the tables of one side hold: equal sums mean equal contents, in whatever order they came.

    One side is what documents become, the other what a database gives back. Both are given the same `buckets`,
    `columns` and numbers of shared tables and columns, each its own tables and types. Memory is that of the buckets: 16
    bytes for each bucket of each column. Canonical forms, and what they cannot see: the module `checksum` of the core.

    Not for two threads at once: the second call raises `RuntimeError`. Let each fill a `fresh` one and merge them.

    Args:
        side: JSON object.

            - `seed`: 0 to 2^64 - 1, default 0; the same on both sides. Drawn anew for each comparison, it keeps anybody
              from writing values that have the sum of others.
            - `buckets`: 1 to 65536. Cells are added up by the bucket that their row's key falls into.
            - `columns`: number of columns of each shared table.
            - `tables`: the tables of this side, for `read_batch` in the order of `Batch.tables`. Of each `table` (its
              shared number; null to pass its rows over), `row` (its rows count as rows; default false: they only add
              cells to rows that come from elsewhere), `key` (positions of the columns that make its key, which parts
              the digests of equal values in two rows), `owner` (position of the column that `leave_out` looks at, or
              null) and `columns`.
            - A column: `column` (its shared number, or null when it is not compared), `type` (`kind`, `array`,
              `length`, `precision`, `scale` as in a compiled plan), `ids` (translation of its ids, in arrays of each
              element),
              `rewrites` (in jsonb: objects of `path`, where `[]` leads through arrays, and `ids`), `elements` (each
              element of the array is a cell), `element` (position of the column that holds an element's number: the
              value is one element of such an array; -1 with NULL is the empty array), `unless` (positions of columns:
              where one of them holds a value this one adds nothing, so that several columns may be one), `sensitive`.
            - `translations`: lists of [from, to], ids as PostgreSQL prints them. `key`, `owner` and cells hold `to`.
            - `leave_out`: lists of [shared table, [owners]], whose rows are only counted; every table of the side that
              adds to that shared table needs an `owner`.

            Owners of `leave_out` are texts as PostgreSQL prints them, of columns of type
            uuid, text, varchar, smallint, integer, bigint or an enum.

    Raises:
        ValueError: The side cannot be read or contradicts itself.
    """

    def __init__(self, side: str) -> None: ...
    def fresh(self) -> Digester:
        """Return an empty one of the same side, which both share in memory."""

    def read_copy(self, table: int, data: Buffer) -> int:
        """Add rows of COPY binary to a table of this side and return how many there were.

        Args:
            table: Position in `tables` of the side.
            data: Whole rows. The header of the stream before them and its trailer behind them are passed over, so
                that what a COPY sends can be given in any pieces that end where a row ends.

        Raises:
            InternalError: The rows are not COPY rows of the table's columns, or the side has no such table (code
                `copy-rows`). Rows before the first wrong one are added.
        """

    def read_batch(self, batch: Batch) -> None:
        """Add all rows of a batch.

        Raises:
            InternalError: The batch has other tables than the side, or its rows are not theirs (code `copy-rows`).
        """

    def merge(self, other: Digester) -> None:
        """Take over what another one added up; it is empty afterwards.

        Raises:
            ValueError: The other has other `buckets` or `columns`. Nothing is changed.
        """

    def rows(self) -> list[int]:
        """Return the rows of each shared table."""

    def left_out(self) -> list[int]:
        """Return the rows of each shared table that were left out; only of tables whose rows count."""

    def cells(self) -> list[list[int]]:
        """Return, by shared table and column, the cells that added anything."""

    def compare(self, other: Digester) -> list[tuple[int, int | None, bytes]]:
        """Return where the sums differ: shared table, column (None for the rows themselves, first), differing buckets.

        Buckets are a bitmap, the lowest bit of the first byte for the first of them. Empty when everything is equal.

        Raises:
            ValueError: The other has other `buckets` or `columns`.
        """

@final
class Finder:
    """Reads both sides again and names the rows and cells behind sums that differ.

    Not for two threads at once: the second call raises `RuntimeError`. Let each fill a `fresh` one and merge them.

    Args:
        side: As `Digester`; `sensitive` columns are shown as "(hidden)", also in keys.
        wanted: JSON list of [shared table, shared column or null for rows, [bucket numbers]]. Of every row in a wanted
            bucket it is kept that it is there, of the columns that are wanted in that bucket the cell.
        limit: Rows of each table that are kept at most, the same ones on both sides.

    Raises:
        ValueError: The side cannot be read or contradicts itself, or something is wanted that it does not have.
    """

    def __init__(self, side: str, wanted: str, limit: int) -> None: ...
    def fresh(self) -> Finder:
        """Return an empty one of the same side, wishes and limit, which both share in memory."""

    def read_copy(self, table: int, data: Buffer) -> int:
        """As `Digester.read_copy`; counts all rows, not only those that are kept.

        Raises:
            InternalError: As there.
        """

    def read_batch(self, batch: Batch) -> None:
        """As `Digester.read_batch`.

        Raises:
            InternalError: As there.
        """

    def merge(self, other: Finder) -> None:
        """Take over what another one kept; it is empty afterwards.

        Raises:
            ValueError: The other looks for something else. Nothing is changed.
        """

    def beyond(self) -> list[int]:
        """Return the rows of each shared table that fell into wanted buckets and were beyond the limit.

        With any on either side `compare` does not speak of all rows, but what it says is true.
        """

    def compare(
        self, other: Finder
    ) -> list[
        tuple[int, int | None, list[str | None], str | None, str | None, Literal["missing", "extra", "different"]]
    ]:
        """Return what differs, by shared table, key and column; this is the expected side, the other the actual one.

        Each is the shared table, the shared column (None for a row), the key's parts as PostgreSQL prints them (None
        for NULL), what is expected, what is there, and the word for it. Texts are at most 200 characters as PostgreSQL
        prints them in UTC, of values as they are compared (translated, rounded), None for NULL. A row that is on one
        side only is one "missing" or "extra" without texts, whatever its cells; of one that is there more or less often
        than expected they are the two counts. Of `elements` they are whole arrays, or where these are longer or have
        more than 64 elements the first element that differs behind its number, from 0: "[3] text".

        Raises:
            ValueError: The other looks for something else.
        """

@final
class Frames:
    """The whole documents at the start of a stretch of bytes."""

    @property
    def documents(self) -> int:
        """How many there are."""

    @property
    def end(self) -> int:
        """Offset after the last of them."""

    @property
    def broken(self) -> tuple[str, int] | None:
        """Why nothing beyond `end` can be framed, as a sentence, and at which offset."""

    @property
    def needed(self) -> int:
        """Bytes that the unfinished document at `end` needs; 0 when not known."""

def frame(data: Buffer, *, final: bool) -> Frames:
    """Find whole documents by their lengths; what is inside them is not looked at.

    Args:
        data: Bytes that start where a document starts.
        final: No more bytes follow, so an unfinished document is a broken one.
    """

def hop(data: Buffer, start: int) -> tuple[int, int]:
    """Follow document lengths only, from `start`.

    Returns:
        Offset of the first document that starts at or beyond the end of `data`, or whose length is implausible, and
        how many documents were hopped over.
    """

@final
class IdCodec:
    """Derives ids from source values and turns them back.

    Args:
        key: The target's id key, 32 bytes.

    Raises:
        ConfigError: The key has another length.
    """

    def __init__(self, key: bytes) -> None: ...
    def derive(self, collection: str, id_document: bytes, scheme: str, *, rewritten: bool = False) -> str:
        """Return the id, as text, of the document `{"_id": value}` of a collection.

        Args:
            collection: The collection the value is an `_id` of; it matters only for values that are not ObjectIds.
            id_document: `{"_id": value}` as BSON.
            scheme: `uuid` or `cuid2`.
            rewritten: Whether a text in the form of such an id is one already, and stands as it is.

        Raises:
            ConversionError: The bytes are not such a document.
            ValueError: Another scheme.
        """

    def reverse(self, id: str) -> bytes | None:  # noqa: A002
        """Return the 12 bytes of the ObjectId behind an id of either shape; None for any other id or another key."""

def compare_ids(a: bytes, b: bytes) -> int:
    """Compare two `{"_id": value}` documents in MongoDB's order: -1, 0 or 1.

    Raises:
        ConversionError: The bytes are not such documents.
    """

def crc64(data: Buffer, before: int = 0) -> int:
    """Return the checksum a mongodump archive keeps of a collection: CRC-64/XZ, the ECMA table of Go's `hash/crc64`.

    Args:
        data: Bytes.
        before: Checksum of the bytes in front of them; 0 when there are none.
    """

def digest_rows(data: Buffer, kinds: Sequence[str]) -> bytes:
    """Digest COPY binary rows, without header and trailer, to 16 bytes a row.

    jsonb is canonicalised first (sorted keys, folded numbers), every NaN counts as one value; other fields are taken
    as their bytes.

    Args:
        data: Whole rows.
        kinds: The type of each column, as the plan names it.

    Raises:
        InternalError: The rows are not COPY rows of that many columns (code `copy-rows`).
    """

def extended_json(document: bytes, *, hidden: Sequence[Sequence[str]] = ()) -> str:
    """Write a document as canonical Extended JSON; only bytes that are not UTF-8 are lost, as U+FFFD.

    Args:
        document: One BSON document.
        hidden: Paths whose values become "(hidden)"; nulls stay. `[]` stands for every element of an array; other
            arrays on the way are looked through. What is not what a path says is hidden where the path ends.

    Raises:
        ConversionError: The bytes are not a BSON document.
    """

def document_digest(document: bytes) -> bytes:
    """Return the eight bytes by which a document is known again: XXH3 with 64 bits, big-endian, over its bytes.

    Finds accidents, not forgers. Source: https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md

    Args:
        document: Raw BSON of one document.
    """

def source_id(document: bytes) -> bytes | None:
    """Return the `_id` of one document as the BSON document `{"_id": value}`.

    Args:
        document: Raw BSON of one document.

    Returns:
        None when it has no `_id` or cannot be read that far.
    """
