"""Hints that name a command, with the target as it was given: what they say can be pasted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace

import typer

from isthmus.cli.target import shown_target
from isthmus.errors import IsthmusError

_ASKING = re.compile(r"isthmus schema (?:resolve \d\S*?(?: --\w+)?|resolve|status|deploy|adopt)(?=[.,:;]?(?:\s|$))")
"""Commands that ask for a target, as hints name them."""


def target_given(context: typer.Context, target: str) -> list[str]:
    """Return the option that names the target, as a command to be pasted has it: without its password.

    Args:
        context: Of the command.
        target: What its option says.

    Returns:
        Nothing where the environment names it.
    """
    source = context.get_parameter_source("target")
    return ["--target", shown_target(target)] if source is not None and source.name == "COMMANDLINE" else []


class Hinting:
    """Names the target in hints.

    Args:
        context: Of the command.
        target: What its option says.
    """

    def __init__(self, context: typer.Context, target: str) -> None:
        self._context, self._target = context, target

    def with_target(self, hint: str) -> str:
        """Return a hint with the target behind each command that asks for one, where it was given as an option."""
        return _ASKING.sub(
            lambda found: " ".join([found[0], *map(shlex.quote, target_given(self._context, self._target))]), hint
        )

    @contextmanager
    def of_refusals(self) -> Generator[None]:
        """Let an error that leaves the context name the target in its hints."""
        try:
            yield
        except IsthmusError as fault:
            fault.hint = fault.hint and self.with_target(fault.hint)
            fault.problems = tuple(replace(one, hint=one.hint and self.with_target(one.hint)) for one in fault.problems)
            raise
