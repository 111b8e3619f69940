"""Verifications made by hand, for tests of how they are told."""

from __future__ import annotations

from isthmus.verify.report.accounted import Account
from isthmus.verify.result import LAYERS, ColumnCheck, Layer, LayerResult, Verified

HOSTILE = "<script>alert(1)</script> \x1b[31m'\"&\u202e"
UNITS: dict[Layer, str] = {
    "counts": "collections",
    "samples": "documents",
    "references": "references",
    "types": "columns",
    "rules": "rules",
    "schema": "definitions",
    "checksum": "rows",
}


def layer(name: Layer, checked: int = 12_345, seconds: float = 0.5) -> LayerResult:
    """Return a layer that found nothing."""
    return LayerResult(name, unit=UNITS[name], checked=checked, seconds=seconds)


def passed(*names: Layer) -> Verified:
    """Return a verification that found nothing; of all layers by default."""
    made = Verified(run=3, mapping="mapping.yaml", source="dump/shop", target="embedded:pg", seconds=3.2)
    for number, name in enumerate(names or LAYERS):
        made.layers[name] = layer(name, seconds=0.1 + 0.4 * number)
    return made


def failed() -> Verified:
    """Return a verification with differences of every shape, some of them of hostile names."""
    made = passed()
    checksum = made.layers["checksum"]
    for number in range(30):
        checksum.differs(
            "users",
            "name",
            "The row holds another value than the source gives.",
            id=f"0197f1b4-32ab-8cde-8123-4567890{number:05}",
            expected=f"Ann {number}",
            actual=f"Bob {number}",
        )
    checksum.differs("orders", "(row)", "The row is missing.", id="17/2", expected="a row")
    checksum.differs("orders", "card", "The values differ.", id="18/1", expected="(hidden)", actual="(hidden)")
    checksum.differs(HOSTILE, HOSTILE, HOSTILE, id=HOSTILE, expected=HOSTILE, actual="x " * 200, times=5)
    made.layers["schema"].differs(
        "users",
        "users_email_key",
        "The unique constraint is not there.",
        expected="UNIQUE (email)",
    )
    made.layers["counts"].differs("Users", "copied", "Fewer rows than documents.", expected="31", actual="30")
    for name in ("checksum", "types"):
        made.layers[name].columns += [
            ColumnCheck("users", "", compared=12_345),
            ColumnCheck("users", "name", compared=12_340, accounted=5),
            ColumnCheck("users", "embedding", compared=0, left_out=12_345, why="A vector has no canonical form."),
            ColumnCheck("orders", HOSTILE, compared=7),
        ]
    made.layers["checksum"].notes.append("Two workers read the source.")
    return made


def accounts() -> list[Account]:
    """Return departures of two kinds."""
    return [
        Account("dead_letters", "dead letter", "dead letters", 25, "letters list"),
        Account("orphans", "orphan", "orphans", 1, "orphans list"),
        Account("conflicts", "row kept", "rows kept", 0, "conflicts list"),
    ]
