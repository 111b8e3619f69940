"""What a verification tells of itself while it works: every layer but the quick ones says how far it is, to its end."""

from __future__ import annotations

from isthmus.mapping import parse_mapping
from isthmus.sources import open_source
from isthmus.verify.result import LAYERS
from isthmus.verify.run import verify_database
from isthmus.verify.subject import Options
from isthmus.work.progress import Part, Progress
from tests.integration.verify.made import Made

S = '"Shop ""ü"""'


class _Heard(Progress):
    """Remembers what was counted in each step, and how far it came."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[str] = []
        self.parts: dict[tuple[str, str], Part] = {}

    def stage(self, stage: str, steps: int = 0) -> None:
        super().stage(stage, steps)
        self.stages.append(stage)

    def part(self, what: str, total: int | None, *, about: bool = False, even: bool = True) -> None:
        super().part(what, total, about=about, even=even)
        self._hear()

    def part_done(self, amount: int = 1) -> None:
        super().part_done(amount)
        self._hear()

    def _hear(self) -> None:
        seen = self.snapshot()
        if seen.part is not None:
            self.parts[seen.step, seen.part.what] = seen.part


def heard(made: Made, sample: int | None) -> _Heard:
    source, progress = open_source(str(made.folder)), _Heard()
    try:
        verify_database(
            parse_mapping(made.mapping, file_name="mapping.yaml"),
            source,
            made.conninfo,
            options=Options(sample=sample),
            layers=LAYERS,
            progress=progress,
        )
    finally:
        source.close()
    return progress


def test_every_part_comes_to_its_end(shop_twin: Made) -> None:
    documents = {None: 0, 2: 0}
    for sample in documents:
        progress = heard(shop_twin, sample)
        assert progress.stages == ["opening", "reading the source", "verifying"]  # the last stage has all layers
        layers = {step for step, _ in progress.parts}
        assert layers == {"counts", "samples", "references", "types", "rules", "checksum"}
        for (step, what), part in progress.parts.items():
            assert part.about or part.total in (None, part.done), (step, part)
            assert part.total != 0 or "letters" in what, (step, part)
        documents[sample] = progress.parts["samples", "documents"].done
        assert progress.parts["checksum", "rows"].done >= shop_twin.one(f"SELECT count(*) FROM {S}.users")
    assert 2 <= documents[2] < (documents[None] or 0)


def test_rows_that_differ_are_named_within_the_layer(shop_twin: Made) -> None:
    shop_twin.do(f"UPDATE {S}.users SET name = name || ' ' WHERE name = 'User 5'")
    progress = heard(shop_twin, 2)
    assert progress.stages[-1] == "verifying"
    assert progress.parts["checksum", "documents read again, for rows differ"].done >= 8
