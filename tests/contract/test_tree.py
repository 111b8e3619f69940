"""What no file of the repository may hold: paths of one machine, and registries of one network."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
STANDARD_REGISTRY = "registry+https://github.com/rust-lang/crates.io-index"

# Put together here, so that this file does not hold what it looks for.
HOMES = re.compile("(?<![A-Za-z0-9_.])/" + "(?:home|Users|root)" + "/[A-Za-z0-9_.-]+")
INDEX_SETTING = re.compile("--(?:extra-)?index" + "-url|--trusted" + "-host|--find" + "-links")


def tracked_files() -> list[Path]:
    """List the files git has or would add; all files outside build folders where there is no git."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listing.returncode == 0:
        names = [name for name in listing.stdout.decode().split("\0") if name]
        return [ROOT / name for name in names if (ROOT / name).is_file()]
    outside = {".venv", "target", "build", "__pycache__", ".git"}
    return [path for path in ROOT.rglob("*") if path.is_file() and not outside & set(path.parts)]


def texts() -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    for path in tracked_files():
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found.append((path.relative_to(ROOT), data.decode("utf-8", "replace")))
    return found


def test_no_file_names_a_path_of_one_machine() -> None:
    # The folder around the checkout is one machine's as well, unless every machine has it.
    everywhere = {Path(tempfile.gettempdir()), *map(Path, ("/tmp", "/opt", "/srv", "/usr/src"))}  # noqa: S108
    checkouts = [str(place) for place in (ROOT, ROOT.parent) if place not in everywhere and place.parent != place]
    wrong: list[str] = []
    for path, text in texts():
        for number, line in enumerate(text.splitlines(), start=1):
            if HOMES.search(line) or any(f"{place}/" in line for place in checkouts):
                wrong.append(f"{path}:{number}: {line.strip()[:120]}")
    assert not wrong, "\n".join(wrong)


def test_no_file_names_a_package_index_of_its_own() -> None:
    wrong = [
        f"{path}:{number}: {line.strip()[:120]}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if INDEX_SETTING.search(line)
    ]
    assert not wrong, "\n".join(wrong)


def test_cargo_lock_names_the_standard_registry_only() -> None:
    sources = re.findall(r'^source = "([^"]+)"', (ROOT / "Cargo.lock").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(sources) <= {STANDARD_REGISTRY}


def test_ci_runs_what_the_makefile_runs_and_nothing_else() -> None:
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith("#")]
    assert commands[:2] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."']
    assert commands[2:] == ["make -j 2 setup lint types test-rust", "exec make test-python"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\ntest: test-rust test-python ##" in makefile  # or CI would miss what `make test` runs
    assert (ROOT / ".ci" / "run").stat().st_mode & 0o111
