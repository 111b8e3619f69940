"""The words that profiles choose among, as people see them and as they are stored. Pure."""

from __future__ import annotations

CATEGORIES: dict[str, tuple[str, ...]] = {
    word: (word,)
    for word in (
        "products",
        "services",
        "events",
        "music",
        "food",
        "clothing",
        "apparel",
        "accessories",
        "art",
        "digital_art",
        "tech",
        "health_beauty",
        "wellness",
        "non_profit",
        "homemade",
        "artisanal",
    )
} | {"venue": ("Venue", "venue")}
"""What a profile is listed under, of both vintages of the form: word → keys that mean it; what is written is the first.

No word of the first vintage is taken for one of the second: nobody asked those who ticked it.
"""
COUNTIES: dict[str, tuple[str, ...]] = {word: (word,) for word in ("palm_beach", "broward", "miami_dade")}
PRONOUNS: dict[str, tuple[str, ...]] = {
    "she/her": ("sheher",),
    "he/him": ("hehim",),
    "they/them": ("theythem",),
    "none": ("none",),
    "other": ("other",),
}
"""Several may be true."""


def ticked(words: dict[str, tuple[str, ...]], flags: object) -> list[str]:
    """Return the words whose flags are true, in the order of the words; of what is no set of flags none."""
    if not isinstance(flags, dict):
        return []
    return [word for word, keys in words.items() if any(flags.get(key) is True for key in keys)]  # pyright: ignore[reportUnknownMemberType]


def changed_flags(words: dict[str, tuple[str, ...]], flags: dict[str, object], wanted: list[str]) -> dict[str, bool]:
    """Return the flags that change so that exactly these words are ticked; flags that mean no word stay."""
    changed: dict[str, bool] = {}
    for word, keys in words.items():
        true = [key for key in keys if flags.get(key) is True]
        if word in wanted and not true:
            changed[keys[0]] = True
        elif word not in wanted:
            changed |= dict.fromkeys(true, False)
    return changed
