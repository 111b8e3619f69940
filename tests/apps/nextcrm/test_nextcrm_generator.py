"""The generator itself: the same bytes for the same seed, what each profile promises, links the same on both sides."""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import bson
import pytest
from bson import CodecOptions, DatetimeConversion

from apps.nextcrm.generate import main
from apps.nextcrm.generator.build import fewest, generate, profile_of
from apps.nextcrm.generator.catalogue import PLANTS
from apps.nextcrm.generator.models import FIELDS
from apps.nextcrm.generator.profiles import AS_RUN, Links, as_run, busy
from apps.nextcrm.generator.relations import JUNCTIONS, Relation
from apps.nextcrm.generator.sinks import DumpFolder
from tests.fix_mongo import MongoDatabase

DATES: CodecOptions[dict[str, Any]] = CodecOptions(datetime_conversion=DatetimeConversion.DATETIME_AUTO)
GENERATOR = Path(__file__).parents[3] / "apps" / "nextcrm"


def digest(folder: Path) -> str:
    """One number for all files of a folder."""
    found = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    return found.hexdigest()


def test_the_generator_knows_nothing_of_isthmus() -> None:
    for path in [*(GENERATOR / "generator").glob("*.py"), GENERATOR / "generate.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not [name for name in names if name.split(".")[0] in {"isthmus", "tests"}], path


@pytest.mark.parametrize("profile", ["as-run", "busy"])
def test_a_seed_gives_the_same_bytes_and_another_one_others(profile: str, tmp_path: Path) -> None:
    made = [tmp_path / str(number) for number in range(3)]
    for folder, seed in zip(made, (1, 1, 2), strict=True):
        generate(profile_of(profile, 1_000), seed, DumpFolder(folder)).write(folder / "truth.json")
    assert digest(made[0]) == digest(made[1])
    assert digest(made[0]) != digest(made[2])


def test_the_real_run_has_its_counts_and_its_losses(tmp_path: Path) -> None:
    truth = generate(as_run(), 1, DumpFolder(tmp_path))
    assert sum(truth.read.values()) == 9_288
    assert sum(bool(size) for size in truth.read.values()) == len(AS_RUN) == 22
    comments = bson.decode_all((tmp_path / "tasksComments.bson").read_bytes())
    crm = {one["_id"] for one in bson.decode_all((tmp_path / "crm_Accounts_Tasks.bson").read_bytes())}
    assert len(comments) == 38
    assert len({one["task"] for one in comments}) == 33
    assert len({one["task"] for one in comments} & crm) == 9
    dangling = [one for one in truth.planted if one.name == "dangling"]
    assert (len(dangling), len({str(one.value) for one in dangling})) == (22, 10)
    # What the real run inserted: what the accounts' and boards' own arrays name, each once.
    for name, pairs in (("AccountWatchers", 29), ("BoardWatchers", 114)):
        assert truth.junctions[name].pairs - truth.junctions[name].only_right == pairs


def test_a_busy_million_has_the_shares_that_were_asked_for() -> None:
    sizes = busy(1_000_000, fewest()).sizes
    assert sum(sizes.values()) == 1_000_000
    for name in ("crm_Accounts", "crm_Contacts", "crm_Opportunities", "Tasks", "Documents"):
        assert sizes[name] >= 100_000, name


def test_a_small_busy_database_has_everything_that_can_be_planted(tmp_path: Path) -> None:
    truth = generate(profile_of("busy", 1), 3, DumpFolder(tmp_path))
    assert not truth.not_planted
    kinds = {(one.collection, one.name) for one in truth.planted}
    assert kinds >= {(name, plant.name) for name, plants in PLANTS.items() for plant in plants}
    assert all(told.pairs for told in truth.junctions.values())
    assert set(truth.read) == set(FIELDS)


def test_accounts_that_have_contacts_have_ten_and_five_opportunities(tmp_path: Path) -> None:
    generate(profile_of("busy", 8_000), 1, DumpFolder(tmp_path))
    for collection, field, wanted in (("crm_Contacts", "accountsIDs", 10), ("crm_Opportunities", "account", 5)):
        documents = bson.decode_all((tmp_path / f"{collection}.bson").read_bytes())
        held = Counter(str(one[field]) for one in documents if one.get(field) is not None)
        # Two of ten have no account, in one of two ways.
        assert wanted * 0.7 < sum(held.values()) / len(held) < wanted * 0.9


@pytest.mark.parametrize(
    ("lefts", "rights", "links"), [(1, 1, 1), (7, 3, 20), (10, 4, 200), (44, 7950, 35), (12, 12, 9)]
)
def test_both_sides_of_a_relation_name_the_same_pairs(lefts: int, rights: int, links: int) -> None:
    avoid_left, avoid_right = {2, 5}, {1}
    relation = Relation(JUNCTIONS[0], lefts, rights, Links(links, links // 4), avoid_left, avoid_right)
    pairs = {(link, left, right) for link, left, right in relation.pairs()}
    assert pairs == {(link, left, right) for left in range(lefts) for link, right in relation.of_left(left)}
    assert pairs == {(link, left, right) for right in range(rights) for link, left in relation.of_right(right)}
    assert len({(left, right) for _, left, right in pairs}) == len(pairs)
    assert not {left for _, left, _ in pairs} & avoid_left
    assert not {right for _, _, right in pairs} & avoid_right


def test_the_command_writes_a_dump_and_its_truth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "nextcrm"), "--profile", "busy", "--documents", "900", "--seed", "4"]) == 0
    truth: dict[str, Any] = json.loads((tmp_path / "nextcrm.truth.json").read_text(encoding="utf-8"))
    assert truth["seed"] == 4
    assert (tmp_path / "nextcrm" / "crm_Accounts.metadata.json").exists()
    assert "things planted" in capsys.readouterr().err


def test_a_server_gets_the_documents_of_the_dump(tmp_path: Path, mongo: MongoDatabase) -> None:
    chosen = ["--profile", "as-run"]
    assert main([mongo.url, *chosen, "--truth", str(tmp_path / "live.json")]) == 0
    assert main([str(tmp_path / "dump"), *chosen, "--truth", str(tmp_path / "dump.json")]) == 0
    assert (tmp_path / "live.json").read_bytes() == (tmp_path / "dump.json").read_bytes()
    for name in ("Boards", "Tasks", "crm_Contacts", "Documents"):
        written = bson.decode_all((tmp_path / "dump" / f"{name}.bson").read_bytes(), DATES)
        held = mongo.client.get_database(mongo.name, DATES)[name].find()
        assert {str(one["_id"]): str(one) for one in held} == {str(one["_id"]): str(one) for one in written}


@pytest.mark.parametrize(
    "arguments", [["x", "--documents", "0"], ["mongodb://127.0.0.1/x"], ["x", "--profile", "idle"]]
)
def test_the_command_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
