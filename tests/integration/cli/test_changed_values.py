"""What `copy`, `status` and `verify` tell of values that the mapping replaced or filled in.

How they are counted is looked at in tests/integration/copy.
"""

from __future__ import annotations

import json
from pathlib import Path

from tests.fix_dumps import write_collection
from tests.integration.cli.conftest import RunCommand
from tests.integration.copy.carrying import oid

MAPPING = """\
isthmus: 1
collections:
  Tasks:
    fields:
      'st:at → "us"':
        column: 'st:at → "us"'
        type: text
        values: {a: A, b: B, c: C, d: D, e: E, f: F, g: G, "*": null}
        default: "\\e[2J[bold]"
      pin: {type: text, sensitive: true, values: {s3cret: known}, default: n0ne}
"""
FIELD = 'st:at → "us"'
PLACE = f"tasks.{FIELD}"


def test_what_values_became_is_told_in_short_and_whole_in_the_json(
    isthmus: RunCommand, tmp_path: Path, database: str
) -> None:
    said = ["a"] * 1_200 + ["b"] * 9 + ["c"] * 8 + ["d"] * 7 + ["e"] * 6 + ["f"] * 5 + ["g"] * 4 + ["other"] * 3
    tasks = [{"_id": oid(n), FIELD: one, "pin": "s3cret"} for n, one in enumerate(said)]
    tasks.append({"_id": oid(9_999)})
    write_collection(tmp_path / "dump" / "shop", "Tasks", tasks)
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "mapping.yaml").write_text(MAPPING, encoding="utf-8")
    env = {"DATABASE_URL": database, "MONGODB_URI": str(tmp_path / "dump" / "shop")}
    names = {"a": 1_200, "b": 9, "c": 8, "d": 7, "e": 6, "f": 5, "g": 4}
    became = {
        f"{PLACE}:value_mapped": {**{f'"{one}" → "{one.upper()}"': n for one, n in names.items()}, "* → null": 3},
        f"{PLACE}:default": {'missing → "\\u001b[2J[bold]"': 1},
        "tasks.pin:value_mapped": {"(hidden) → (hidden)": len(said)},
        "tasks.pin:default": {"missing → (hidden)": 1},
    }

    copied = isthmus("copy", "mapping.yaml", "--json", "copy.json", env=env, cwd=folder)
    assert copied.code == 0, copied.all
    assert json.loads((folder / "copy.json").read_text())["balance"]["became"] == became
    told = isthmus("status", "--json", "status.json", env=env, cwd=folder)
    assert json.loads((folder / "status.json").read_text())["balance"]["became"] == became
    lines = [
        f"      1,242  {PLACE}:value_mapped",
        '                 1,200  "a" → "A"',
        '                     6  "e" → "E"',
        "                    12  in 3 other ways; --json lists all",
        '                     1  missing → "\\u001b[2J[bold]"',
        "                 1,242  (hidden) → (hidden)",
    ]
    for ran in (copied, told):
        assert [line for line in lines if line not in ran.all.splitlines()] == [], ran.all
        assert '"f" → "F"' not in ran.all

    verified = isthmus(
        *("verify", "mapping.yaml", "--sample", "all", "--json", "verify.json", "--html", "page.html"),
        env=env,
        cwd=folder,
    )
    assert verified.code == 0, verified.all
    assert json.loads((folder / "verify.json").read_text())["became"] == became
    assert f'                 1,200  {PLACE}: "a" → "A"' in verified.all.splitlines()
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert "1,200 <code>tasks.st:at → &#34;us&#34;: &#34;a&#34; → &#34;A&#34;</code>" in page
    for text in (
        copied.all,
        told.all,
        verified.all,
        page,
        *((folder / name).read_text() for name in ("copy.json", "status.json")),
    ):
        assert "s3cret" not in text
        assert "n0ne" not in text
        assert "\x1b[2J" not in text
