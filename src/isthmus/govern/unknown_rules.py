"""Refuse settings that switch off what is no rule: all of them at once, each with the one that may be meant. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from isthmus.errors import ConfigError, Problem, Where


def refuse_unknown(file: Path, unknown: Sequence[tuple[str, str]], rules: Collection[str], hint: str) -> None:
    """Refuse names that no rule has.

    Args:
        file: The settings.
        unknown: Where each stands, as `schema[1].off`, and the name; none where all is well.
        rules: All names that a rule has.
        hint: Which these are, for people.

    Raises:
        ConfigError: Code `unknown-rule`; of several `problems` holds every finding.
    """
    problems = [
        Problem("unknown-rule", f"There is no rule {name} to switch off.", Where(file=str(file), path=path), near)
        for path, name in unknown
        for near in [_near(name, rules)]
    ]
    if not problems:
        return
    if len(problems) == 1:
        (one,) = problems
        words = f"{one.hint} {hint}" if one.hint else hint
        raise ConfigError(one.message, code="unknown-rule", where=one.where, hint=words)
    raise ConfigError(
        f"{len(problems)} names that are to be switched off are those of no rule.",
        code="unknown-rule",
        where=Where(file=str(file)),
        hint=hint,
        problems=tuple(problems),
    )


def _near(name: str, rules: Collection[str]) -> str | None:
    from difflib import get_close_matches

    rule, slash, behind = name.partition("/")
    if slash and rule not in rules:
        near = get_close_matches(rule, rules, 1)
        return f"Did you mean {near[0]}/{behind}?" if near else None
    near = get_close_matches(name, [one for one in rules if one.startswith(f"{rule}/")] if slash else rules, 1)
    return f"Did you mean {near[0]}?" if near else None
