"""What a person is told to look at when a MongoDB server does not answer, from words that pymongo 4 has said."""

from __future__ import annotations

import pytest

from isthmus.connect.absent import question_seconds, what_to_check


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("127.0.0.1:1: [Errno 111] Connection refused", "Nothing listens there."),
        ("no-such-host.invalid:27017: [Errno -2] Name or service not known", "resolve it"),
        ("h:27017: [Errno 8] nodename nor servname provided, or not known", "resolve it"),
        ("h:27017: [Errno -3] Temporary failure in name resolution", "resolve it"),
        ('No replica set members available for replica set name "rs7"', "replicaSet="),
        ("SSL handshake failed: h:27017: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", "tlsCAFile"),
        ("127.0.0.1:27017: timed out", "firewall"),
        ("No servers found yet", "firewall"),
        ("h:27017: connection closed", "tls=true"),
        ("No primary available for writes", "firewall"),
        # the words of an error count, not the names of hosts
        ("ssl-db.localhost:1: [Errno -2] Name or service not known", "resolve it"),
        ("tls.refused.example:27017: timed out", "firewall"),
        ("replicaset-0.db:27017: [Errno 111] Connection refused", "Nothing listens there."),
        ("a:1: [Errno 111] Connection refused,certificate-db:2: [Errno 111] Connection refused", "Nothing listens"),
        ("a:1: [Errno 111] Connection refused,tls-shard-00-0…", "Nothing listens there."),
        ("/run/ssl db/mongodb-27017.sock: [Errno 111] Connection refused", "Nothing listens there."),
        ("SSL handshake failed: refused.example:27017: [SSL: WRONG_VERSION_NUMBER] (_ssl.c:1016)", "tlsCAFile"),
        ("Could not reach any servers in [('tls-db', 27017)]. Is it configured with internal hostnames?", "firewall"),
    ],
)
def test_hint_names_what_the_words_speak_of(words: str, named: str) -> None:
    assert named in what_to_check(words)


@pytest.mark.parametrize(("patience", "seconds"), [(None, 10), (60, 10), (0, 2), (1, 2), (5, 5)])
def test_one_question_lasts_no_longer_than_who_asks_would_wait(patience: float | None, seconds: float) -> None:
    assert question_seconds(patience) == seconds
