"""The numbers a running copy shows: totals, rates of this session only, and the words drawn from them."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from isthmus.cli.bars import Due, duration_text, line, overall, render, size_text
from isthmus.cli.options import parse_size
from isthmus.work.progress import CollectionProgress, Part, Progress, Snapshot


def snapshot(
    *collections: CollectionProgress, stage: str = "copying", before: int = 0, seconds: float = 10
) -> Snapshot:
    return Snapshot(stage, "primary key of a", collections, seconds, before, 3, 9)


def test_batches_add_up_and_a_new_stage_begins_its_own_rate() -> None:
    progress = Progress()
    progress.expect("A", bytes_total=1000, bytes_done=400, documents=4, dead_letters=1)
    progress.expect("B", bytes_total=None, bytes_done=0, documents=0, dead_letters=0)
    progress.stage("copying")
    progress.batch("A", bytes_done=100, documents=2, dead_letters=1)
    progress.batch("new", bytes_done=7, documents=1, dead_letters=0)
    progress.broken("B", "why")
    seen = progress.snapshot()
    assert [(c.name, c.bytes_done, c.documents, c.dead_letters) for c in seen.collections] == [
        ("A", 500, 6, 2),
        ("B", 0, 0, 0),
        ("new", 7, 1, 0),
    ]
    assert seen.collections[1].broken == "why"
    assert (seen.bytes_before, seen.stage) == (400, "copying")
    seen.collections[0].documents = 99
    assert progress.snapshot().collections[0].documents == 6


def test_rate_and_time_left_speak_of_this_session() -> None:
    one = CollectionProgress("A", bytes_total=1000, bytes_done=600)
    assert overall(snapshot(one, before=100)) == (600, 1000, 50.0, 8.0)
    assert overall(snapshot(CollectionProgress("A", None, 5)))[1] is None
    assert overall(snapshot(one, before=600))[3] is None  # nothing yet: no guess
    assert overall(snapshot(one, before=0, seconds=0))[2] == 0.0


@pytest.mark.parametrize(
    ("amount", "text"), [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_500_000, "2.5 MB"), (4e12, "4000.0 GB")]
)
def test_sizes_for_people(amount: float, text: str) -> None:
    assert size_text(amount) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (125, "2:05"), (3723, "1:02:03")])
def test_durations_for_people(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


@pytest.mark.parametrize(
    ("text", "size"), [("192M", 192 << 20), ("1g", 1 << 30), ("1.5 KiB", 1536), ("77", 77), ("2MB", 2 << 20)]
)
def test_sizes_from_people(text: str, size: int) -> None:
    assert parse_size(text) == size


def test_plain_line_tells_documents_share_rate_time_and_dead_letters() -> None:
    one = CollectionProgress("A", bytes_total=1_000_000, bytes_done=500_000, documents=1234, dead_letters=2)
    waits, done = CollectionProgress("B", 1_000, 0), CollectionProgress("C", 10, 10, 1)
    assert line(snapshot(one, waits, done)) == (
        "Copying: 1,235 of ~2,470 documents, 500.0 kB of 1.0 MB (49 %), 50.0 kB/s, about 10 s left, then finishing,"
        " dead letters 2; 1 of 3 collections, A 50 % (1,234 of ~2,470)"
    )
    told = line(snapshot(one, stage="finishing"))
    assert told == "Finishing: keys, references, indexes: step 4 of 9, 33 % (primary key of a), about 20 s left"
    assert line(replace(snapshot(one, stage="preflight"), steps_total=0, step="")) == "Looking at source and target"


def test_whole_percent_is_100_only_of_what_is_done() -> None:
    for done, percent in ((0, 0), (9_999, 99), (10_000, 100)):
        entry = CollectionProgress("A", bytes_total=10_000, bytes_done=done, documents=max(1, done // 10))
        assert f"({percent} %)" in line(snapshot(entry)), done


def test_documents_of_a_collection_are_counted_where_they_are_known_and_else_told_as_about() -> None:
    for entry, words in (
        (CollectionProgress("A", bytes_total=300, bytes_done=100, documents=333), "333 of ~999 documents"),
        (CollectionProgress("A", bytes_total=99_999, bytes_done=33_333, documents=41_152), "41,152 of ~123,000 "),
        (CollectionProgress("A", bytes_total=None, bytes_done=100, documents=333), "333 documents"),
        (CollectionProgress("A", bytes_total=100, bytes_done=100, documents=333), "333 of 333 documents"),
        (CollectionProgress("A", bytes_total=100, bytes_done=0, documents=0), "0 documents"),
    ):
        assert line(snapshot(entry)).startswith(f"Copying: {words}"), entry


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("stage", ["preflight", "verifying", "copying", "finishing", "complete"])
def test_bars_fit_the_terminal_and_lose_no_number(width: int, stage: str) -> None:
    collections = [
        CollectionProgress("Users", 10_000_000, 5_000_000, 123_456, 7),
        CollectionProgress("a collection with a very long name indeed " * 3, 10_000_000, 0),
        CollectionProgress("unknown size", None, 5_000_000, 77),
        CollectionProgress("broken", 10, 5, 1, 0, "truncated"),
        CollectionProgress("done", 10, 10, 1),
        *(CollectionProgress(f"more {number}", 10, 0) for number in range(30)),
    ]
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(render(snapshot(*collections, stage=stage), width))
    assert isinstance(console.file, io.StringIO)
    drawn = console.file.getvalue()
    assert all(len(row) <= width for row in drawn.splitlines())
    if stage == "copying" and width >= 80:
        for words in ("123,456 of ~247,000", "7 dead letters", "50 %", "broken off", "1 of 35 collections", "10.0 MB"):
            assert words in drawn, (words, drawn)


@pytest.mark.parametrize("width", [80, 120])
def test_numbers_of_a_great_copy_are_whole(width: int) -> None:
    great = CollectionProgress("crm_Opportunities_Sales_Stages", 987_654_321_000, 456_789_000_000, 98_765_432, 9_876)
    more = CollectionProgress("B", 10_000_000_000, 0)
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(render(snapshot(great, more, seconds=20_000), width))
    assert isinstance(console.file, io.StringIO)
    head, one, _, every, *_ = console.file.getvalue().splitlines()
    assert head.rstrip().endswith("dead letters 9,876"), head
    assert ("ETA 6:" in head, ", then finishing" in head) == (True, width > 80), head
    assert "98,765,432 of ~214,000,000" in one, one
    assert "9,876 dead" in one, one
    assert ("456.8 GB of 997.7 GB" if width > 80 else "456.8 GB") in every, every


@pytest.mark.parametrize("stage", ["finishing", "delivering", "restoring"])
def test_stage_of_steps_tells_percent_step_and_about_how_long(stage: str) -> None:
    console = Console(file=io.StringIO(), width=110, force_terminal=True, color_system=None)
    console.print(render(snapshot(CollectionProgress("A", 10, 10, 1), stage=stage), 110))
    assert isinstance(console.file, io.StringIO)
    drawn = console.file.getvalue()
    assert "  33 %  3 of 9  about 20 s left  primary key of a" in drawn
    assert "━" in drawn
    young = snapshot(CollectionProgress("A", 10, 10, 1), stage=stage, seconds=1)
    assert "left" not in line(young)  # nobody can say yet


def test_time_left_of_steps_counts_down_and_is_not_told_of_one_that_takes_longer_than_all_were_guessed_to() -> None:
    stands = replace(snapshot(stage="finishing", seconds=20), step_seconds=11)  # three took 9 seconds
    assert line(stands).endswith("step 4 of 9, 33 % (primary key of a), about 7 s left")
    for seconds in (27.0, 27.1, 500.0):
        assert line(replace(stands, seconds=seconds, step_seconds=seconds - 9)).endswith(
            "step 4 of 9, 33 % (primary key of a)" + (", about 0 s left" if seconds < 27 else "")
        )
    for shown in (line(replace(stands, stage="verifying")), drawn(replace(stands, stage="verifying"))):
        assert "left" not in shown  # layers are not alike


def drawn(seen: Snapshot, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=True, color_system=None)
    console.print(render(seen, width))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize(
    ("part", "plain", "share"),
    [
        (Part("documents", 2_500, 10_000, seconds=5), "2,500 of 10,000 documents, 25 %, about 15 s left", 36),
        (Part("documents", 2_500, 10_000, seconds=2), "2,500 of 10,000 documents, 25 %", 36),
        (Part("documents", 0, 10_000, seconds=50), "0 of 10,000 documents, 0 %", 33),
        (Part("documents", 10_000, 10_000, seconds=50), "10,000 of 10,000 documents, 100 %", 43),
        (Part("places", 3, 4, even=False, seconds=50), "3 of 4 places, 75 %", 41),
        (Part("rows", 2_500, 12_345, about=True, seconds=1), "2,500 of ~12,300 rows, 20 %", 35),
        (Part("rows", 13_000, 12_345, about=True, seconds=9), "13,000 of 13,000 rows, 100 %", 43),
        (Part("letters", 7, None, seconds=9), "7 letters", 33),
        (Part("letters", 0, 0, seconds=9), "0 of 0 letters", 33),
    ],
)
def test_step_that_is_counted_in_tells_how_far_it_is(part: Part, plain: str, share: int) -> None:
    seen = replace(snapshot(stage="verifying"), part=part, step="samples")
    assert line(seen) == f"Verifying: step 4 of 9, {share} % (samples: {plain})"
    rows = [row.rstrip() for row in drawn(seen).splitlines()]
    assert rows[0] == f"Verifying  {share} %  3 of 9  samples"
    assert set(rows[1]) <= set("━╸╺ "), rows
    assert rows[2] == plain.replace(", ", "  ")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_what_is_counted_in_a_step_fits_the_terminal(width: int) -> None:
    part = Part("documents that others depend on", 98_765_432, 987_654_321, seconds=9_999)
    rows = drawn(replace(snapshot(stage="verifying"), part=part), width).splitlines()
    assert len(rows) == 3
    assert all(len(row) <= width for row in rows)


def test_parts_are_counted_within_their_step_and_end_with_it() -> None:
    progress = Progress()
    progress.stage("verifying", steps=2)
    progress.step("samples")
    progress.part_done()  # nothing was begun
    assert progress.snapshot().part is None
    told = [(one, seen.part) for one in progress.counting("abc", "letters", 3) if (seen := progress.snapshot())]
    assert [(one, part.done, part.total) for one, part in told if part] == [("a", 0, 3), ("b", 1, 3), ("c", 2, 3)]
    assert progress.snapshot().part is None
    progress.part("rows", 10, about=True)
    progress.part_done(4)
    progress.part_done()
    part = progress.snapshot().part
    assert part is not None
    assert (part.done, part.about, part.even) == (5, True, True)
    progress.step_done()
    assert progress.snapshot().part is None
    progress.part("rows", 10)
    progress.step("checksum")
    assert progress.snapshot().part is None
    progress.part("rows", 10)
    progress.stage("complete")
    assert progress.snapshot().part is None


def test_short_work_prints_no_line_and_long_work_one_in_ten_seconds_and_for_each_stage() -> None:
    due = Due(100.0)
    stages = [(100 + tenth / 10, "copying" if tenth < 350 else "finishing") for tenth in range(500)]
    told = [(seconds, stage) for seconds, stage in stages if due.now(stage, seconds)]
    assert told == [(110, "copying"), (120, "copying"), (130, "copying"), (135, "finishing"), (145, "finishing")]


def test_line_of_one_document_says_so() -> None:
    one = CollectionProgress("A", bytes_total=10, bytes_done=5, documents=1, dead_letters=1)
    assert line(snapshot(replace(one, bytes_done=10))).startswith("Copying: 1 of 1 document, ")
    console = Console(file=io.StringIO(), width=120, force_terminal=True, color_system=None)
    console.print(render(snapshot(one), 120))
    assert isinstance(console.file, io.StringIO)
    drawn = console.file.getvalue()
    assert "1 of ~2 documents  1 dead letter\n" in "\n".join(row.rstrip() for row in drawn.splitlines()) + "\n"
    assert "0 of 1 collection  " in drawn


def test_second_pass_counts_from_the_start_and_only_what_it_reads() -> None:
    progress = Progress()
    for name in ("A", "B"):
        progress.expect(name, bytes_total=100, bytes_done=0, documents=0, dead_letters=0)
    progress.stage("surveying")
    progress.again(["A", "B"])
    progress.batch("A", bytes_done=100, documents=4, dead_letters=0)
    progress.batch("B", bytes_done=100, documents=4, dead_letters=0)
    progress.stage("looking up")
    progress.again(["B"])
    progress.batch("B", bytes_done=25, documents=1, dead_letters=0)
    snapshot = progress.snapshot()
    done, total, rate, left = overall(snapshot)
    assert (done, total, [entry.name for entry in snapshot.collections]) == (25, 100, ["B"])
    assert rate > 0
    assert left is not None


def test_progress_of_a_survey_speaks_of_no_dead_letters() -> None:
    progress = Progress()
    progress.expect("A", bytes_total=100, bytes_done=0, documents=0, dead_letters=0)
    progress.stage("surveying")
    progress.again(["A"])
    progress.batch("A", bytes_done=50, documents=2, dead_letters=0)
    told = line(progress.snapshot())
    assert told.startswith("Reading every document: 2 of ~4 documents, 50 B of 100 B (50 %), ")
    assert "dead letters" not in told
    console = Console(file=io.StringIO(), width=100)
    console.print(render(progress.snapshot(), 100))
    assert "dead letters" not in console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_at_work_stands_above_what_waits() -> None:
    waiting = [CollectionProgress(f"waits{n}", bytes_total=100) for n in range(20)]
    late = [CollectionProgress("late", 100, 7, 1), CollectionProgress("broken", 100, broken="why")]
    done = CollectionProgress("done", bytes_total=9, bytes_done=9)
    shown = io.StringIO()
    Console(file=shown, width=80, height=24).print(render(snapshot(*waiting[:15], done, *late, *waiting[15:]), 80))
    names = [line.split()[0] for line in shown.getvalue().splitlines()[1:]]
    assert names[:4] == ["late", "broken", "waits0", "waits1"]
    assert len(names) == 17  # as many as before, and the two lines of the others and of all
