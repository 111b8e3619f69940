"""What a person answers to each conflict, as lines of truth and as the file that a copy reads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from apps.generating.ids import NumberedIds
from apps.panamia.generator.people import Instance, member_id

_HEAD = "# Who is who, as people were asked.\nisthmus: 1\nidentities:\n  people:\n"


def beside(truth: Path) -> Path:
    """Where the file goes by default: beside the truth."""
    return truth.with_name(f"{truth.name.removesuffix('.json').removesuffix('.truth')}.resolutions.yaml")


def answers(instance: Instance, ids: NumberedIds) -> Iterator[dict[str, Any]]:
    """Each answer: the verb with its documents (one of them with `drop`), and the reason."""
    for answer in instance.case.answers:
        found = [{instance.member(role).collection: str(member_id(instance, role, ids))} for role in answer.roles]
        yield {answer.verb: found[0] if answer.verb == "drop" else found, "reason": answer.reason}


def write_resolutions(path: Path, instances: list[Instance], ids: NumberedIds) -> int:
    """Write the file, and return how many answers stand in it.

    Ids are quoted: many of them, read as YAML, are numbers.
    """
    count = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(_HEAD)
        for instance in instances:
            for answer in answers(instance, ids):
                verb, reason = (json.dumps(answer[word], ensure_ascii=False) for word in answer)
                file.write(f"    - {next(iter(answer))}: {verb}\n      reason: {reason}\n")
                count += 1
    return count
