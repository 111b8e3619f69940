"""What is asserted of every disturbed copy once it came to its end: it leaves and says what an undisturbed one does."""

from __future__ import annotations

from collections.abc import Sequence

from tests.chaos.sessions import Copy, Ended
from tests.fix_copies import Unkilled, assert_equal


def compare(copy: Copy, ended: Ended, unkilled: Unkilled, *, earlier: Sequence[Ended] = ()) -> None:
    """Assert that a session ended as an unkilled copy ends, and that the target is that of an unkilled copy.

    The exit code is the same also where an earlier session had committed the end of the run and was killed before it
    could say so: whoever reads only the last code must still learn that not everything was carried.

    Args:
        copy: The copy command.
        ended: Its last session, which came to an end by itself.
        unkilled: What to compare with.
        earlier: Sessions that may have shown the books of this run before; where one had, they are no news.
    """
    assert "The books balance" in unkilled.ended.words
    if ended.code != 0 or not any("The books balance" in session.words for session in earlier):
        assert ended.code == unkilled.ended.code, ended.text
    assert_equal(copy.target, unkilled)


def finish_and_compare(copy: Copy, unkilled: Unkilled) -> None:
    """Let a copy go on to its end, undisturbed, and compare."""
    compare(copy, copy.run(), unkilled)
