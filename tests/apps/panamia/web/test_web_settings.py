"""Settings that services share: how they are read, overridden and told; and the process that is told them."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import Field

from apps.panamia.web.running import run
from apps.panamia.web.settings import Port, SidecarSettings, Url, read
from isthmus.errors import ConfigError

WHERE = {"POSTGRES_URL": "host=nowhere"}


class Settings(SidecarSettings):
    """Those of a service that is none."""

    public_url: Url = "http://localhost:3009"
    port: Port = 3009
    loans: int = Field(3, ge=1, description="how many things one may have at once")


def test_defaults_of_a_service_are_its_own_and_all_else_is_shared() -> None:
    settings = read(Settings, WHERE)
    assert (settings.public_url, settings.port, settings.loans) == ("http://localhost:3009", 3009, 3)
    assert (settings.host, settings.pool_size, settings.main_url) == ("127.0.0.1", 10, "http://localhost:3000")
    assert settings.origins == {"http://localhost:3009"}
    assert not settings.is_secure


def test_settings_are_texts_of_the_environment() -> None:
    told = {
        **WHERE,
        "PUBLIC_URL": "HTTPS://Things.example.org:443/",
        "MAIN_URL": "https://www.example.org",
        "ALLOWED_ORIGINS": " https://a.example ,, https://b.example:8443 ",
        "PORT": "0",
        "LOANS": "",
        "loans": "7",
        "HOME": "elsewhere",
    }
    settings = read(Settings, told)
    assert settings.origins == {"https://things.example.org", "https://a.example", "https://b.example:8443"}
    assert (settings.is_secure, settings.port, settings.loans) == (True, 0, 3)


def test_everything_that_is_wrong_is_told_at_once_and_no_secret() -> None:
    told = {"POSTGRES_URL": "host=x password=hush", "PORT": "70000", "LOANS": "many", "ALLOWED_ORIGINS": "nonsense"}
    with pytest.raises(ConfigError) as fault:
        read(Settings, told)
    for name in ("PORT: ", "LOANS: ", "ALLOWED_ORIGINS: "):
        assert name in str(fault.value)
    assert "hush" not in str(fault.value)
    assert fault.value.code == "setting"
    assert fault.value.hint == f"python -m {__name__.rpartition('.')[0]} --help lists all settings."


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, "POSTGRES_URL names no database, and USE_MEMORY_POSTGRES is not said"),
        ({**WHERE, "PUBLIC_URL": "https://things.example.org"}, "both be https, or neither"),
        ({**WHERE, "MAIN_URL": "www.example.org"}, "MAIN_URL: is no address"),
    ],
)
def test_settings_that_do_not_fit_together_are_told(told: dict[str, str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        read(Settings, told)


def test_secret_may_stand_in_a_file_and_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://pets:hush@db.example.org/pana\n")
    settings = read(Settings, {"POSTGRES_URL_FILE": str(tmp_path / "url")})
    assert settings.postgres_url is not None
    assert settings.postgres_url.get_secret_value() == "postgresql://pets:hush@db.example.org/pana"
    assert "hush" not in repr(settings)
    with pytest.raises(ConfigError, match="POSTGRES_URL_FILE"):
        read(Settings, {"POSTGRES_URL_FILE": str(tmp_path / "nowhere")})


def _app(_: Settings) -> FastAPI:
    raise AssertionError("nothing is started")


@pytest.fixture
def run_with(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """Return what runs a service with words of its command line and some settings."""

    def running(*words: str, **told: str) -> int:
        monkeypatch.setattr(sys, "argv", ["x", *words])
        return run("Run nothing", Settings, partial(read, Settings, told), _app)

    return running


def test_help_names_every_setting(run_with: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_with("--help")
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.startswith(f"usage: python -m {__name__.rpartition('.')[0]} ")
    for name, field in Settings.model_fields.items():
        assert f"  {name.upper()} " in said
        assert field.description
        assert field.description in said


def test_process_with_a_wrong_setting_says_which_and_ends_with_2(
    run_with: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with(PORT="x", **WHERE) == 2
    assert capsys.readouterr().err.startswith("✗ ")
