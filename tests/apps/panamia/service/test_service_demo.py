"""`make panamia`: what it prints works, and nothing is left of it."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.apps.panamia.demos import demo, until_it_listens
from tests.fix_mongo import needs_wire_server
from tests.fix_postgres import free_port


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_link_signs_in_and_nothing_is_left_behind() -> None:
    needs_wire_server()
    port = free_port()
    with demo("apps.panamia.demo", "--port", port) as text:
        (link,) = re.findall(r"http://\S*/api/auth/callback/email\S*", text)
        with httpx.Client(base_url=f"http://localhost:{port}") as client:
            until_it_listens(client)
            assert client.get(link).headers["location"] == "/"
            page = client.get("/api/profile").json()
            assert page["profile"]["userId"] == page["user"]["id"]
            assert client.get("/api/notifications").json()["total"] > 0
            assert client.get(link).headers["location"].startswith("/signin?error="), "it works once"
            assert "Pana MIA" in client.get("/").text
