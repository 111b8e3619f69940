"""Loading metadata from a project's own code: what it prints and how it fails."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from sqlalchemy import MetaData

from isthmus.errors import ConfigError
from isthmus.govern.models.loading import load_metadata
from isthmus.govern.settings import Project, SchemaSettings, Settings

GOOD = "from sqlalchemy import *\nmeta = MetaData()\nTable('t', meta, Column('id', Integer))\n"


@pytest.fixture(autouse=True)
def _own_path(monkeypatch: pytest.MonkeyPatch) -> None:  # pyright: ignore[reportUnusedFunction]  pytest calls it
    monkeypatch.setattr(sys, "path", list(sys.path))


def project(folder: Path, text: str | None, models: str | None, *, package: str = "") -> tuple[Project, SchemaSettings]:
    for name in [one for one in sys.modules if one == "shop_models" or one.startswith("shop_models.")]:
        del sys.modules[name]
    if text is not None:
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "shop_models.py").write_text(text)
    settings = SchemaSettings(folder="m", models=models)
    return Project(file=folder / "isthmus.toml", settings=Settings(schemas=(settings,))), settings


@pytest.mark.parametrize("package", ["", "src"])
def test_metadata_or_what_has_it(package: str, tmp_path: Path) -> None:
    text = f"{GOOD}class Base:\n    metadata = meta\n"
    for models in ("shop_models:meta", "shop_models:Base", "shop_models:Base.metadata"):
        assert isinstance(load_metadata(*project(tmp_path, text, models, package=package)), MetaData)


FAULTS: dict[str, tuple[str | None, str | None, str, int | None]] = {
    # text of the module, the setting, code and line
    "no models": (GOOD, None, "no-models", None),
    "no attribute in the setting": (GOOD, "shop_models", "bad-models", None),
    "no name": (GOOD, "shop models:meta", "bad-models", None),
    "no module": (None, "shop_models:meta", "models-missing", None),
    "no attribute": (GOOD, "shop_models:other", "models-missing", None),
    "no attribute of it": (GOOD, "shop_models:meta.x.y", "models-missing", None),
    "something else": (GOOD + "x = 5\n", "shop_models:x", "models-not-metadata", None),
    "no table": ("from sqlalchemy import MetaData\nmeta = MetaData()\n", "shop_models:meta", "models-empty", None),
    "raises": (f"{GOOD}\nraise ValueError('postgresql://u:geheim@h/d')\n", "shop_models:meta", "models-failed", 5),
    "syntax": (f"{GOOD}x = (\n", "shop_models:meta", "models-failed", 4),
    "leaves": (f"{GOOD}import sys\nsys.exit(3)\n", "shop_models:meta", "models-failed", 5),
    "needs what is not there": (f"{GOOD}import no_such_module\n", "shop_models:meta", "models-failed", 4),
    "raises later": (
        (
            f"{GOOD}class L(type):\n    @property\n    def meta(cls):\n        raise KeyError('x')\n"
            "class B(metaclass=L): ...\n"
        ),
        "shop_models:B.meta",
        "models-failed",
        7,
    ),
}


@pytest.mark.parametrize("case", FAULTS)
def test_what_cannot_be_loaded_is_told_with_file_and_line(case: str, tmp_path: Path) -> None:
    text, models, code, line = FAULTS[case]
    with pytest.raises(ConfigError) as caught:
        load_metadata(*project(tmp_path, text, models))
    assert (caught.value.code, caught.value.where.line) == (code, line)
    assert "geheim" not in str(caught.value)
    if line is not None:
        assert caught.value.where.file == str(tmp_path / "shop_models.py")


def test_what_it_prints_goes_to_standard_error(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    text = f"{GOOD}import os\nprint('loud')\nos.system('echo louder')\n"
    before = list(sys.path)
    load_metadata(*project(tmp_path, text, "shop_models:meta"))
    print("data")
    told = capfd.readouterr()
    assert told.out == "data\n"
    assert "loud\n" in told.err
    assert "louder\n" in told.err
    assert set(before) <= set(sys.path)
