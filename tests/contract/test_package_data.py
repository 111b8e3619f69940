"""Every file that isthmus reads beside its modules goes into the wheel and into the image: pages, SQL, the sample.

Oracle: the rules by which the build chooses. maturin takes the folder of the package as it stands, but for what git
ignores and for `exclude` of its settings; the image is built from what `.dockerignore` lets through. Cannot see: other
rules of a later maturin. Who releases builds a wheel, and runs the demo from it.
"""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.contract.containers import ignore_patterns, ignored

ROOT = Path(__file__).parents[2]
PACKAGE = Path("src") / "isthmus"
MADE = {".pyc", ".so", ".pyd", ".dylib"}
"""Ends of the files that are made: by Python, and by the build itself, which puts its own core in."""


def data_files() -> list[str]:
    """List what is in the package's folder and no module, relative to the checkout."""
    found = (path.relative_to(ROOT) for path in (ROOT / PACKAGE).rglob("*") if path.is_file())
    return sorted(
        path.as_posix() for path in found if path.suffix not in {*MADE, ".py"} and ".partial" not in path.name
    )


def ignored_by_git(names: list[str], root: Path) -> list[str]:
    """Return those of some files that git would not look at, whether or not it has them."""
    ran = subprocess.run(
        ["git", "check-ignore", "--no-index", "--stdin", "-z"],
        cwd=root,
        input="\0".join(names),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode in {0, 1}, ran.stderr
    return [name for name in ran.stdout.split("\0") if name]


def test_no_file_of_the_package_is_left_out_of_the_wheel() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout: what git ignores is left out")
    names = data_files()
    assert ignored_by_git(names, ROOT) == []
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["maturin"]
    assert (settings["python-source"], "exclude" in settings) == ("src", False)


def test_no_file_of_the_package_is_left_out_of_the_image() -> None:
    patterns = ignore_patterns((ROOT / ".dockerignore").read_text(encoding="utf-8"))
    assert [name for name in data_files() if ignored(name, patterns)] == []


@pytest.mark.parametrize(
    ("rule", "lost"),
    [("data/", "isthmus/demo/data/truth.json"), ("*.css", "survey/report/survey.css"), ("*.gz", ".bson.gz")],
)
def test_a_rule_that_leaves_files_out_is_seen(rule: str, lost: str, tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(f"{rule}\n")
    assert any(name.endswith(lost) for name in ignored_by_git(data_files(), tmp_path))


def test_what_the_commands_read_is_there() -> None:
    """Of each kind of file that commands cannot do without there is at least one, so the list above is not empty."""
    ends = {name.partition(".")[2].rpartition(".")[2] for name in data_files()}
    assert ends >= {"html", "css", "js", "sql", "yaml", "json", "bson", "gz", "pyi", "typed"}
