"""What a plan of PostgreSQL says: which indexes it uses, and which tables it reads from end to end. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Plan:
    """The summary of an `EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON)`.

    Attributes:
        nodes: Every node, outermost first, with the index or table it reads: `Index Scan Tasks_active_idx`.
        indexes: Names of the indexes that served it: looked up in by a condition, or walked in their order. A bitmap of
            all that an index holds, filtered afterwards, is no service.
        read_whole: Tables that it read from end to end.
        milliseconds: Of execution; None where it was not executed.
        pages: Of 8 KiB that were looked at, in memory or not; None where it was not executed.
    """

    nodes: tuple[str, ...]
    indexes: frozenset[str]
    read_whole: frozenset[str]
    milliseconds: float | None
    pages: int | None


def read_plan(explained: list[dict[str, Any]]) -> Plan:
    """Summarise the one value that `EXPLAIN (FORMAT JSON)` returns.

    A node that the executor never began (`Actual Loops` is 0) is in `nodes`, marked so, and used nothing.
    """
    root = explained[0]["Plan"]
    nodes = list(_nodes(root, root))
    begun = [(node, above) for node, above in nodes if node.get("Actual Loops", 1)]
    pages = [root.get(f"Shared {kind} Blocks") for kind in ("Hit", "Read")]
    return Plan(
        tuple(_told(node) for node, _ in nodes),
        frozenset(node["Index Name"] for node, above in begun if "Index Name" in node and _serves(node, above)),
        frozenset(node["Relation Name"] for node, _ in begun if node["Node Type"] == "Seq Scan"),
        explained[0].get("Execution Time"),
        None if None in pages else sum(pages),
    )


def _nodes(node: dict[str, Any], above: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Every node with the one above it; the outermost with itself."""
    yield node, above
    for inner in node.get("Plans", ()):
        yield from _nodes(inner, node)


def _serves(node: dict[str, Any], above: dict[str, Any]) -> bool:
    return node["Node Type"] != "Bitmap Index Scan" or "Index Cond" in node or "Filter" not in above


def _told(node: dict[str, Any]) -> str:
    read = node.get("Index Name") or node.get("Relation Name")
    words = [node["Node Type"], *([read] if read else []), *(["never begun"] if node.get("Actual Loops") == 0 else [])]
    return " ".join(words)
