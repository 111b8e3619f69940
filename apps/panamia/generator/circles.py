"""Sound documents of who follows whom, of lists of profiles and of pictures, as the older routes wrote them. Pure."""

from __future__ import annotations

from apps.panamia.generator.members import screenname
from apps.panamia.generator.planting import Document
from apps.panamia.generator.values import DAY, NOW, at, slug, text
from apps.panamia.generator.world import Make, World


def _pair(world: World, number: int) -> tuple[int, int]:
    """Who follows, and who is followed, in a document of `followers`; among few people a pair comes again."""
    follower = world.with_all(number * 2)
    followed = world.with_all(number * 2 + 1 + world.mix(number, 4) % world.people.count)
    return follower, followed if followed != follower else world.with_all(followed + 1)


def followers(world: World) -> Make:
    """Ids and names, both as text."""

    def make(number: int) -> Document:
        follower, followed = _pair(world, number)
        return {
            "_id": world.ids.of("followers", number),
            "followerId": str(world.user(follower)),
            "followerUserName": screenname(follower) or slug(follower),
            "followedUserName": screenname(followed) or slug(followed),
            "userId": str(world.user(followed)),
        }

    return make


def _list_of(world: World, number: int) -> tuple[int, list[int]]:
    """The owner of a list, and the people whose profiles stand in it, each once."""
    owner = world.with_all(number * 3 + 1)
    members = dict.fromkeys(world.with_profile(number * 7 + step * 3) for step in range(number % 9))
    return owner, list(members)


def lists(world: World) -> Make:
    """Lists of profiles; every ninth is empty."""

    def make(number: int) -> Document:
        owner, members = _list_of(world, number)
        created = world.ids.created("userlists", number)
        return {
            "_id": world.ids.of("userlists", number),
            "user_id": str(world.user(owner)),
            "name": text("lista", number),
            "desc": text("para", number),
            "public": number % 2 == 0,
            "profiles": [str(world.profile(one)) for one in members],
            "createdAt": at(created),
            "updatedAt": at(min(NOW, created + DAY)),
            "__v": 0,
        }

    return make


def images(world: World) -> Make:
    """Names of files, and whose they are."""

    def make(number: int) -> Document:
        return {
            "_id": world.ids.of("images", number),
            "image": f"uploads/{number}/{slug(number)}.png",
            "userId": str(world.user(world.with_user(number * 3 + 2))),
        }

    return make
