"""`make` on a machine where Rust, a C compiler or Python is missing or too old says so, and how to get it.

Oracle: a PATH that holds nothing but the tools the scripts need and stand-ins written here. Blind spot: what a real
package manager then installs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHELL_TOOLS = ("sh", "sed", "head", "sort", "tr", "uname")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """Return a folder for PATH that holds the shell's tools and nothing else."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in SHELL_TOOLS:
        place = shutil.which(name)
        assert place is not None, name
        (folder / name).symlink_to(place)
    return folder


def stand_in(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def install_rust(folder: Path, version: str) -> None:
    stand_in(folder, "cargo", f"echo cargo {version}")
    stand_in(folder, "rustc", f"echo rustc {version}")
    stand_in(folder, "cc", "exit 0")


def run(bare: Path, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(bare / "sh"), f"tools/{script}", *arguments],
        cwd=ROOT,
        env={"PATH": str(bare), "HOME": str(bare)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_missing_rust_and_compiler_are_named_together_with_where_to_get_them(bare: Path) -> None:
    ran = run(bare, "need_rust.sh")
    assert ran.returncode == 1
    for words in ("cargo is missing", "rustc is missing", "https://rustup.rs", "no C compiler"):
        assert words in ran.stderr


def test_rust_that_is_too_old_is_told_by_its_version(bare: Path) -> None:
    install_rust(bare, "1.60.0")
    ran = run(bare, "need_rust.sh")
    assert ran.returncode == 1
    assert "this is rustc 1.60.0" in ran.stderr
    assert "rustup update" in ran.stderr


def test_rust_that_is_new_enough_is_no_matter_for_words(bare: Path) -> None:
    install_rust(bare, "1.100.0")
    ran = run(bare, "need_rust.sh")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")


def test_missing_python_is_told_with_where_to_get_it(bare: Path) -> None:
    ran = run(bare, "find_python.sh")
    assert ran.returncode == 1
    assert "no Python found" in ran.stderr
    assert "https://www.python.org/downloads/" in ran.stderr


def test_python_that_is_too_old_is_told_by_its_version(bare: Path) -> None:
    stand_in(bare, "python3", 'case "$1" in --version) echo Python 3.9.1;; *) exit 1;; esac')
    ran = run(bare, "find_python.sh")
    assert ran.returncode == 1
    assert "the python3 here is Python 3.9.1" in ran.stderr
    ran = run(bare, "find_python.sh", "no-such-python")
    assert ran.returncode == 1
    assert "PYTHON=no-such-python does not run" in ran.stderr


def test_python_that_cannot_make_environments_is_told_what_it_lacks(bare: Path) -> None:
    stand_in(bare, "python3.12", 'case "$2" in *ensurepip*) exit 1;; *) exit 0;; esac')
    ran = run(bare, "find_python.sh")
    assert ran.returncode == 1
    assert "python3.12 cannot make virtual environments" in ran.stderr
    stand_in(bare, "python3.11", "exit 0")
    assert run(bare, "find_python.sh").stdout == "python3.11\n"


def test_build_that_works_says_nothing_and_one_that_fails_says_all_and_keeps_its_code(bare: Path) -> None:
    stand_in(bare, "build", "echo built a wheel; echo a warning >&2")
    done = run(bare, "quietly.sh", "build", "--release")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    stand_in(bare, "build", 'echo "error: $1 is wrong" >&2; echo after it; exit 7')
    failed = run(bare, "quietly.sh", "build", "this crate")
    assert (failed.returncode, failed.stdout, failed.stderr) == (7, "", "error: this crate is wrong\nafter it\n")
