"""Reads Dockerfile, .dockerignore and compose.yaml as far as the tests need it.

References: Docker's documentation, "Dockerfile reference" and ".dockerignore files"; Compose specification,
"Interpolation". Cannot see: what an engine makes of the files; nothing here starts one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).parents[2]
VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?:(?P<operator>:[-?])(?P<rest>[^}]*))?\}")


@dataclass
class Stage:
    """One `FROM` and what follows it.

    Attributes:
        image: The image, with arguments filled in.
        name: Of `AS`; empty for none.
        steps: Instruction in capitals and its text on one line, in order.
    """

    image: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])

    def texts(self, instruction: str) -> list[str]:
        """Return the texts of all steps of one kind."""
        return [text for word, text in self.steps if word == instruction]

    def exec_form(self, instruction: str) -> list[str]:
        """Return the words of the last such step; fails for the shell form, which is no JSON."""
        return json.loads(self.texts(instruction)[-1])

    def pairs(self, instruction: str) -> dict[str, str]:
        """Return the `NAME=value` of ENV or LABEL."""
        found: dict[str, str] = {}
        for text in self.texts(instruction):
            found |= {name: value.strip('"') for name, value in re.findall(r'([\w.]+)=("[^"]*"|\S+)', text)}
        return found


def stages(text: str) -> list[Stage]:
    """Read a Dockerfile."""
    without_comments = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    arguments: dict[str, str] = {}
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", " ", without_comments).splitlines():
        if not line.strip():
            continue
        word, rest = line.strip().split(maxsplit=1)
        if word == "ARG" and not found:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            filled = re.sub(r"\$\{(\w+)\}", lambda match: arguments[match[1]], rest)
            image, _, name = filled.partition(" AS ")
            found.append(Stage(image, name))
        else:
            found[-1].steps.append((word, rest))
    return found


def copies(stage: Stage) -> list[tuple[str | None, list[str], str]]:
    """Return every COPY: the stage it takes from (None: the build context), its sources, its destination."""
    found: list[tuple[str | None, list[str], str]] = []
    for text in stage.texts("COPY"):
        words = text.split()
        origin = next((word.removeprefix("--from=") for word in words if word.startswith("--from=")), None)
        *sources, destination = [word for word in words if not word.startswith("--")]
        found.append((origin, sources, destination))
    return found


def ignored(path: str, patterns: list[str]) -> bool:
    """Tell whether .dockerignore keeps a path out: the last pattern that matches it or a folder above it decides."""
    parts = path.split("/")
    ways = ["/".join(parts[: number + 1]) for number in range(len(parts))]
    out = False
    for line in patterns:
        pattern = line.removeprefix("!").strip("/")
        expression = "".join(
            {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(piece) or re.escape(piece)
            for piece in re.split(r"(\*\*/|\*\*|\*|\?)", pattern)
        )
        if any(re.fullmatch(expression, way) for way in ways):
            out = not line.startswith("!")
    return out


def ignore_patterns(text: str) -> list[str]:
    """Read a .dockerignore."""
    return [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]


def context_files(patterns: list[str], names: list[str]) -> Iterator[str]:
    """List the files of the repository that lie at or below `names` and are not ignored."""
    for name in names:
        start = ROOT / name
        files = [start] if start.is_file() else sorted(path for path in start.rglob("*") if path.is_file())
        for file in files:
            relative = file.relative_to(ROOT).as_posix()
            if not ignored(relative, patterns):
                yield relative


def services(text: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Read the services of a compose file, then fill in its variables: an empty one is an empty text, not null."""

    def fill(match: re.Match[str]) -> str:
        name, operator, rest = match["name"], match["operator"], match["rest"]
        if environment.get(name):
            return environment[name]
        if operator == ":-":
            return rest
        raise KeyError(f"{name}: {rest or 'no default'}")

    def filled(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: filled(one) for name, one in value.items()}
        if isinstance(value, list):
            return [filled(one) for one in value]
        return VARIABLE.sub(fill, value) if isinstance(value, str) else value

    return filled(YAML(typ="safe").load(text)["services"])
