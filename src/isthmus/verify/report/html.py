"""One self-contained HTML page of a verification: verdict, layers, differences, what was accounted for and compared."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from shlex import quote
from typing import Any

from isthmus.sources.shown import shown
from isthmus.verify.report.accounted import Account, most_became
from isthmus.verify.report.choosing import coverage, totals, uncompared
from isthmus.verify.report.words import WORDS, checked_words, remarks, side_words, tone, verdict
from isthmus.verify.result import LAYERS, MOST_LISTED, Difference, Layer, LayerResult, Verified
from isthmus.work.listed import listed
from isthmus.work.page import render_page

_MOST_PLACES = 12
_MOST_BECAME = 20


def verification_page(
    verified: Verified,
    *,
    accounts: Sequence[Account] = (),
    target: str,
    started_at: datetime,
    version: str,
    asked: Sequence[str] = (),
    error: str = "",
    hint: str = "",
) -> str:
    """Return the page.

    Args:
        verified: What it came to, or as far as it came.
        accounts: What differs rightly.
        target: The target as commands may name it, without secrets.
        started_at: When the verification began, in UTC.
        version: Of this Isthmus.
        asked: How it was asked: options in words.
        error: Why it could not be brought to its end, without secrets; empty when it was.
        hint: What to do about that.
    """
    listed, covered = verified.differences, coverage(verified)
    covering: list[Layer] = [name for name in verified.layers if any(name in one.checks for one in covered)]
    return render_page(
        "isthmus.verify.report",
        "verification.html",
        styles=("verification.css",),
        verdict=f"Not verified: {shown(error)}" if error else verdict(verified),
        tone="bad" if error else tone(verified),
        hint=shown(hint),
        verified=verified,
        mapping=shown(verified.mapping),
        source=shown(verified.source),
        target=shown(target or verified.target),
        layers=[_layer(one, verified) for one in verified.layers.values()],
        unasked=[name for name in LAYERS if name not in verified.layers],
        differences=[_difference(one) for one in listed],
        cut=MOST_LISTED if any(len(one.differences) >= MOST_LISTED for one in verified.layers.values()) else 0,
        found=sum(one.found for one in verified.layers.values()),
        failing=[name for name, one in verified.layers.items() if one.found],
        totals=_totals(verified),
        accounts=[
            (one.count, one.word if one.count == 1 else one.words, _command(one, target), _became(one))
            for one in accounts
            if one.count
        ],
        any_accounts=bool(accounts),
        uncompared=[
            (one.layer, one.count, _places(one.places), shown(one.why).rstrip(".")) for one in uncompared(verified)
        ],
        covered=[
            {
                "table": shown(one.table),
                "column": shown(one.column),
                "checks": [one.checks.get(name) for name in covering],
                "why": shown(one.why),
                "seen": shown(one.seen),
                "accounted": max((check.accounted for check in one.checks.values()), default=0),
            }
            for one in covered
        ],
        covering=covering,
        started_at=started_at,
        version=version,
        asked=list(asked),
    )


_OUTCOMES = {"passed": "passed", "partly": "passed in part", "failed": "differs"}


def _layer(layer: LayerResult, verified: Verified) -> dict[str, Any]:
    longest = max((one.seconds for one in verified.layers.values()), default=0.0)
    return {
        "name": layer.layer,
        "sees": WORDS[layer.layer].sees,
        "checked": layer.checked,
        "checked_words": checked_words(layer),
        "found": layer.found,
        "seconds": layer.seconds,
        "share": round(100 * layer.seconds / longest) if longest > 0 else 0,
        "outcome": _OUTCOMES[layer.outcome] if layer.found or layer.checked else "nothing to check",
        "tone": "bad" if layer.found else "good" if layer.checked and not layer.lacking else "warn",
        "remarks": [shown(note) for note in remarks(layer)],
    }


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "layer": one.layer,
        "table": shown(one.table),
        "row": None if one.id is None else shown(one.id),
        "path": shown(one.path),
        "expected": _side(one, one.expected),
        "actual": _side(one, one.actual),
        "unsaid": one.expected is None and one.actual is None,
        "message": shown(one.message),
    }


def _totals(verified: Verified) -> list[tuple[str, dict[Layer, int]]]:
    """Return place → layer → how many differences, the places with the most first."""
    found: dict[str, dict[Layer, int]] = {}
    for one in totals(verified):
        place = re.sub(r" \(row\)$", " (rows)", one.place)  # one of them, or their number: they are the same rows
        layers = found.setdefault(shown(place), {})
        layers[one.layer] = layers.get(one.layer, 0) + one.count
    return sorted(found.items(), key=lambda one: -max(one[1].values()))


def _side(one: Difference, text: str | None) -> str | None:
    words = side_words(one, text)
    return None if text is None and words != "NULL" else words


def _places(places: Sequence[str]) -> str:
    return listed(list(dict.fromkeys(shown(one) for one in places)), _MOST_PLACES)


def _became(account: Account) -> list[tuple[int, str]]:
    return [(count, shown(pair)) for pair, count in most_became(account, _MOST_BECAME)]


def _command(account: Account, target: str) -> str:
    return f"isthmus {account.command} --target {quote(target)}" if account.command and target else ""
