"""Writes docs/reference/cli.md from the definitions of the commands, in a form that no version of typer changes."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

# Commands and parameters are typer's (or click's) own objects, which have no public types; only names that have been
# the same in all versions are used of them: commands, params, help, opts, secondary_opts, metavar, envvar, default,
# required, hidden, param_type_name.
Node = Any


def page(_root: Path) -> str:
    """Write the page."""
    from isthmus.cli.main import app

    return "\n".join([*_head(), *_node(get_command(app), ("isthmus",))])


def _head() -> Iterator[str]:
    yield "# Commands"
    yield ""
    yield "<!-- Made from the program by `make docs`; do not edit. -->"
    yield ""
    yield "Results go to standard output, talk and progress to standard error."
    yield "What the exit codes mean: [codes](errors.md#exit-codes)."
    yield ""


def _node(node: Node, words: tuple[str, ...]) -> Iterator[str]:
    """Write one command or group, then what is below it."""
    members: dict[str, Node] = getattr(node, "commands", {})
    visible = [parameter for parameter in node.params if not getattr(parameter, "hidden", False)]
    arguments = [parameter for parameter in visible if parameter.param_type_name == "argument"]
    options = [parameter for parameter in visible if parameter.param_type_name == "option"]
    shown = [_argument(argument) for argument in arguments]
    for_others = [text for text in shown if "--" in text]  # what stands behind `--` is no option of ours
    usage = [*words, *(text for text in shown if text not in for_others)]
    usage += ["COMMAND"] if members else []
    usage += ["[OPTIONS]"] if options else []
    usage += for_others
    yield f"## {' '.join(words)}"
    yield ""
    yield "```text"
    yield " ".join(usage)
    yield "```"
    yield ""
    if node.help:
        yield from inspect.cleandoc(node.help).splitlines()
        yield ""
    if arguments or options:
        yield "| | | default |"
        yield "| --- | --- | --- |"
        for parameter in [*arguments, *options]:
            yield f"| {_name(parameter)} | {_cell(parameter.help or '')} | {_default(parameter)} |"
        yield ""
    for name, member in members.items():
        if not getattr(member, "hidden", False):
            yield from _node(member, (*words, name))


def _argument(parameter: Node) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _name(parameter: Node) -> str:
    if parameter.param_type_name == "argument":
        return f"`{_argument(parameter)}`"
    flags = sorted([*parameter.opts, *parameter.secondary_opts], key=len)
    value = "" if getattr(parameter, "is_flag", False) else f" {parameter.metavar or parameter.name.upper()}"
    return ", ".join(f"`{flag}{value}`" for flag in flags)


def _default(parameter: Node) -> str:
    environment = parameter.envvar
    names = [environment] if isinstance(environment, str) else list(environment or [])
    parts = [f"from `{name}`" for name in names]
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        parts.append(_cell(shown))
    elif isinstance(parameter.default, str | int | float) and not isinstance(parameter.default, bool):
        parts.append(f"`{parameter.default}`")
    elif not parts and parameter.required:
        parts.append("required")
    return ", ".join(parts)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
