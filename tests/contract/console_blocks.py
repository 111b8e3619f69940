"""Runs the commands that documentation pages show in fences marked `console`, and writes the files that they show.

    ```console
    $ isthmus copy mapping.yaml --source dump --target embedded:pg   # exit 1
    whatever it prints
    ```

A line that begins with `$ ` is a command; a backslash at its end continues it on the next line, which may begin with
`> `. A comment `# exit N` at its end states the exit code (0 otherwise). Other lines are output, shown for the reader;
in a fence marked `console compare` each of them must occur in what the command printed, in this order, where `…` stands
for any text and runs of blanks are one. A fence of another language with `title="PATH"` is a file, which its reader
writes where the page has come to. The commands of a page run one after the other in one empty folder, as one
person would type them: `cd` and `export` last until the end of the page.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

FENCE = re.compile(
    r"^(?P<indent> *)```console(?P<marks>[^\n]*)\n(?P<body>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL
)
FILE = re.compile(r'^```\w+ title="(?P<path>[^"]+)"\n(?P<body>.*?)^```', re.MULTILINE | re.DOTALL)
END_OF_FILE = "END-OF-THE-FILE"
EXIT = re.compile(r"\s+# exit (\d+)$")
COMMAND_SECONDS = 240
PAGE_SECONDS = 900
END_SECONDS = 20
# A reader's shell has neither our test settings nor databases by environment.
NOT_A_READERS = ("PYTEST", "ISTHMUS", "DATABASE_URL", "MONGODB_URI", "POSTGRES_DIRECT_URL")


@dataclass
class Command:
    """One command of a page.

    Attributes:
        text: What the shell gets.
        line: Line of the page where it stands, counted from 1.
        exit_code: What it must return.
        compare: Whether `output` must occur in what it prints.
        output: Lines the page shows below it.
    """

    text: str
    line: int
    exit_code: int = 0
    compare: bool = False
    output: list[str] = field(default_factory=list[str])


def commands_of(page: str) -> list[Command]:
    """Read the commands of a page, in order; a file is the command that writes it."""
    found = [_writing(page, fence) for fence in FILE.finditer(page)]
    for fence in FENCE.finditer(page):
        found += _shown(page, fence)
    return sorted(found, key=lambda one: one.line)


def _writing(page: str, fence: re.Match[str]) -> Command:
    path = PurePosixPath(fence["path"])
    folder, file = (shlex.quote(str(one)) for one in (path.parent, path))
    text = f"mkdir -p {folder} && cat > {file} <<'{END_OF_FILE}'\n{fence['body']}{END_OF_FILE}"
    return Command(text, page.count("\n", 0, fence.start("body")) + 1)


def _shown(page: str, fence: re.Match[str]) -> list[Command]:
    """Read the commands of one fence."""
    found: list[Command] = []
    first_line = page.count("\n", 0, fence.start("body")) + 1
    compare = "compare" in fence["marks"].split()
    continued = False
    for offset, raw in enumerate(fence["body"].splitlines()):
        line = raw[len(fence["indent"]) :]
        if continued:
            found[-1].text += "\n" + line.removeprefix("> ")
            continued = line.endswith("\\")
        elif line.startswith("$ "):
            found.append(Command(line[2:], first_line + offset, compare=compare))
            continued = line.endswith("\\")
        elif found and line.strip():
            found[-1].output.append(line)
    for command in found:
        stated = EXIT.search(command.text)
        if stated is not None:
            command.exit_code = int(stated[1])
            command.text = command.text[: stated.start()]
    return found


def run(command: Command, folder: Path, group: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command where the last one of this folder stopped.

    Args:
        command: The command; its shell state is kept in the folder `.shell` of `folder`.
        folder: The page's own folder.
        group: The process group in which it runs, and what it leaves running; None: the caller's.
    """
    state = folder / ".shell"
    state.mkdir(exist_ok=True)
    (state / "environment").touch()
    if not (state / "place").exists():
        (state / "place").write_text(str(folder), encoding="utf-8")
    script = "\n".join(
        [
            f'. "{state}/environment"',
            f'cd "$(cat "{state}/place")"',
            command.text,
            "isthmus_status=$?",
            f'pwd > "{state}/place"',
            f'export -p > "{state}/environment"',
            "exit $isthmus_status",
        ]
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(NOT_A_READERS)}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment |= {"TERM": "dumb", "COLUMNS": "100"}
    return subprocess.run(
        ["sh", "-c", script],
        env=environment,
        stdin=subprocess.DEVNULL,
        # One stream, as on a terminal, so that the page's order can be held against it.
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        process_group=group,
    )


@contextmanager
def ended_behind() -> Iterator[int]:
    """Yield the number of a process group; what still runs in it behind the block is ended, as servers of a page."""
    leader = subprocess.Popen(["sleep", str(PAGE_SECONDS)], process_group=0)
    try:
        yield leader.pid
    finally:
        os.killpg(leader.pid, signal.SIGTERM)
        leader.wait()
        give_up_at = time.monotonic() + END_SECONDS
        with suppress(ProcessLookupError):  # nobody is left
            while time.monotonic() < give_up_at:
                os.killpg(leader.pid, 0)
                time.sleep(0.05)
            os.killpg(leader.pid, signal.SIGKILL)


def missing_lines(shown: list[str], printed: str) -> list[str]:
    """Return the shown lines that do not occur in what was printed, in order."""
    lines = [" ".join(line.split()) for line in printed.splitlines()]
    place = 0
    missing: list[str] = []
    for line in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in " ".join(line.split()).split("…")))
        for at in range(place, len(lines)):
            if pattern.fullmatch(lines[at]):
                place = at + 1
                break
        else:
            missing.append(line)
    return missing
