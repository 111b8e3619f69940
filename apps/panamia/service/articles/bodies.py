"""What people send of articles."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from ...models.enums import ArticleType
from ...web.bodies import Input
from ...web.inputs import NO_NUL, ONE_LINE, KeyText
from ..people import Someone


def _once(tags: list[str]) -> list[str]:
    return list(dict.fromkeys(tags))


Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), ONE_LINE]
Content = Annotated[str, StringConstraints(max_length=200_000), NO_NUL]
Excerpt = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), NO_NUL]
Address = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^https?://[^\s]+$"), ONE_LINE]
Tag = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=50), ONE_LINE]
Tags = Annotated[list[Tag], Field(max_length=10), AfterValidator(_once)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), NO_NUL]
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=1_000), NO_NUL]


class NewArticle(Input):
    """An article to be. Without an excerpt lists show how it begins; `inReplyTo` is the key of a published one."""

    title: Title
    article_type: ArticleType
    content: Content = ""
    excerpt: Excerpt | None = None
    cover_image: Address | None = None
    tags: Tags = Field(default_factory=list[str])
    in_reply_to: KeyText | None = None


class ArticleChange(Input):
    """What changes in an article; what is left out stays, and so do title, type, content and tags that are null.

    An excerpt that is null becomes how the content begins. `unlessChangedSince` is the `updatedAt` that the writer saw:
    if somebody has changed the article since, nothing happens (409, code `changed`).
    """

    title: Title | None = None
    article_type: ArticleType | None = None
    content: Content | None = None
    excerpt: Excerpt | None = None
    cover_image: Address | None = None
    tags: Tags | None = None
    unless_changed_since: AwareDatetime | None = None


class Invitation(Someone):
    """Who is asked, and what the person is told."""

    message: Note | None = None


class Checklist(Input):
    """What a reviewer looked at; a carried one may hold further items."""

    facts_verified: bool = False
    sources_checked: bool = False
    community_standards: bool = False

    @property
    def is_complete(self) -> bool:
        """Whether everything is in order."""
        return self.facts_verified and self.sources_checked and self.community_standards


class Comment(Input):
    """What a reviewer says of a place in the text."""

    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2_000), NO_NUL]
    content_ref: Annotated[str, StringConstraints(max_length=200), ONE_LINE] | None = None


class ReviewDone(Input):
    """What a reviewer found. Without approval the article needs a revision. The message goes to the author."""

    approve: bool
    checklist: Checklist = Checklist()
    comments: Annotated[list[Comment], Field(max_length=50)] = Field(default_factory=list[Comment])
    message: Note | None = None


class Removal(Input):
    """Why an article is removed; its author and co-authors are told."""

    reason: Reason
