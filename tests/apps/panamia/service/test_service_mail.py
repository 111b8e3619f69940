"""Mail: to a real server of the tests' own, to a folder, to the terminal, and what is refused before it goes out."""

from __future__ import annotations

import email
import shutil
import smtplib
import socket
import stat
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from email.policy import default
from pathlib import Path
from urllib.parse import quote

import psutil
import pytest

from apps.panamia.service.mail import DeferredError, Letter, Sender, UndeliverableError, sender_of
from apps.panamia.service.mail.smtp import SmtpSender
from apps.panamia.service.settings import Settings, read_settings
from isthmus.errors import ConfigError
from tests.apps.panamia.service.smtp_server import PASSWORD, USER, Certificate, Post, make_certificate, smtp_server

pytestmark = pytest.mark.anyio
LETTER = Letter(
    "ana@example.org", "Hé, “you”", "A line\n.\nand ünother: https://x.org/?a=b&c=d\n" + "long " * 400, "k1"
)


def settings(mail: str, **more: str) -> Settings:
    there = {"POSTGRES_URL": "postgresql://x", "MONGODB_URI": "mongodb://x/y", "MAIL": mail}
    return read_settings({**there, "MAIL_FROM": '"Pana, MIA" <post@Pana.example>', **more})


def to(post: Post, *, kind: str = "smtp", sign_in: bool = False, host: str = "127.0.0.1", password: str = "") -> Sender:
    who = f"{quote(USER)}:{quote(password or PASSWORD, safe='')}@" if sign_in else ""
    return sender_of(settings(f"{kind}://{who}{host}:{post.port}"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed, which makes the certificate")
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def trusted(certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> Certificate:
    """The same, trusted by whoever looks at what the machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))
    return certificate


@pytest.fixture
async def post() -> AsyncIterator[Post]:
    async with smtp_server() as running:
        yield running


# To a server


async def test_a_server_gets_the_mail_as_it_was_written(post: Post) -> None:
    await to(post).send(LETTER)
    [(sender, recipients, message)] = post.mails
    assert (sender, recipients) == ("post@Pana.example", ["ana@example.org"])
    assert (message["From"], message["To"]) == ('"Pana, MIA" <post@Pana.example>', "ana@example.org")
    assert message["Subject"] == LETTER.subject
    assert (message["Message-ID"], message["Auto-Submitted"]) == ("<k1@Pana.example>", "auto-generated")
    assert message["Date"].datetime is not None
    assert message.get_content().replace("\r\n", "\n").rstrip("\n") == LETTER.text.rstrip("\n")


async def test_letters_without_a_key_have_ids_of_their_own(post: Post) -> None:
    for _ in range(2):
        await to(post).send(Letter("a@b.org", "s", "t"))
    first, second = (message["Message-ID"] for _, _, message in post.mails)
    assert first != second
    assert first.endswith("@Pana.example>")


async def test_an_address_of_another_alphabet_arrives_where_the_server_takes_it(post: Post) -> None:
    await to(post).send(Letter("مريم@exämple.org", "s", "ü"))
    assert post.mails[0][1] == ["مريم@xn--exmple-cua.org"]
    async with smtp_server(utf8=False) as old:
        with pytest.raises(UndeliverableError, match="ASCII"):
            await to(old).send(Letter("مريم@exämple.org", "s", "ü"))


async def test_tls_is_spoken_where_it_is_offered_and_the_certificate_is_looked_at(
    trusted: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with smtp_server(tls=trusted, sign_in=True) as post:
        await to(post, sign_in=True).send(LETTER)
        assert (post.encrypted, post.signed_in) == ([True], [True])
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await to(post, sign_in=True).send(LETTER)
        assert len(post.mails) == 1


async def test_smtps_speaks_tls_at_once(trusted: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    async with smtp_server(at_once=trusted) as post:
        await to(post, kind="smtps").send(LETTER)
        assert post.encrypted == [True]
        monkeypatch.delenv("SSL_CERT_FILE")
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await to(post, kind="smtps").send(LETTER)


async def test_a_password_goes_unencrypted_over_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    async with smtp_server(sign_in=True) as post:
        await to(post, sign_in=True).send(LETTER)
        assert (post.encrypted, post.signed_in) == ([False], [True])
    host, seen = _own_address(), list[bytes]()
    if host is None:  # no other network: loopback is said to be one
        host = "127.0.0.1"
        monkeypatch.setattr("apps.panamia.service.mail.smtp._is_loopback", lambda _: False)
    with socket.create_server((host, 0)) as listening:
        talking = threading.Thread(target=_talk, args=(listening, seen), daemon=True)
        talking.start()
        there = Post(port=listening.getsockname()[1])
        with pytest.raises(smtplib.SMTPException, match="offers no TLS"):
            await to(there, sign_in=True, host=host).send(LETTER)
        talking.join(5)
    assert b"EHLO" in b"".join(seen).upper()
    assert b"AUTH" not in b"".join(seen).upper()


def _own_address() -> str | None:
    """An address of this machine that is not loopback; None where it has none."""
    found = (one for several in psutil.net_if_addrs().values() for one in several if one.family == socket.AF_INET)
    return next((one.address for one in found if not one.address.startswith("127.")), None)


def _talk(listening: socket.socket, seen: list[bytes]) -> None:
    """Be a server that offers to sign in, and no TLS."""
    connection, _ = listening.accept()
    with connection:
        connection.sendall(b"220 hello\r\n")
        while data := connection.recv(4096):
            seen.append(data)
            connection.sendall(b"250-x\r\n250 AUTH PLAIN LOGIN\r\n" if data[:4].upper() == b"EHLO" else b"250 ok\r\n")


async def test_a_wrong_password_and_no_server_concern_all_mail(post: Post) -> None:
    async with smtp_server(sign_in=True) as picky:
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            await to(picky, sign_in=True, password="wr0ng").send(LETTER)  # noqa: S106  a wrong one
        assert "wr0ng" not in str(refused.value)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        nowhere = Post(port=taken.getsockname()[1])
        with pytest.raises(ConnectionRefusedError):
            await to(nowhere).send(LETTER)
    post.hang_up = True
    with pytest.raises(smtplib.SMTPServerDisconnected):
        await to(post).send(LETTER)


@pytest.mark.parametrize("step", ["rcpt", "data"])
async def test_what_a_server_says_of_one_mail_is_for_now_or_for_good(post: Post, step: str) -> None:
    setattr(post, step, "450 secret <ana@example.org> later")
    with pytest.raises(DeferredError, match=r"for now \(450\)") as later:
        await to(post).send(LETTER)
    setattr(post, step, "550 secret <ana@example.org> never")
    with pytest.raises(UndeliverableError, match=r"\(550\)") as never:
        await to(post).send(LETTER)
    assert "secret" not in f"{later.value} {never.value}"


async def test_a_server_that_took_the_mail_may_go_away(post: Post) -> None:
    post.hang_up_behind = True
    await to(post).send(LETTER)
    assert len(post.mails) == 1


async def test_a_server_that_says_nothing_is_not_waited_for_forever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.panamia.service.mail.smtp._SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError, match="timed out"):
        await to(Post(port=silent.getsockname()[1])).send(LETTER)


# To a folder, to the terminal, to a sender of one's own


async def test_a_folder_gets_a_file_that_only_its_owner_reads(tmp_path: Path) -> None:
    folder = tmp_path / "ma il" / "ü"
    await sender_of(settings(f"file:{folder}")).send(LETTER)
    [file] = folder.iterdir()
    assert (file.suffix, stat.S_IMODE(file.stat().st_mode)) == (".eml", 0o600)
    message = email.message_from_bytes(file.read_bytes(), policy=default)
    assert message["Subject"] == LETTER.subject
    assert message.get_content().rstrip("\n") == LETTER.text.rstrip("\n")


async def test_the_terminal_shows_it_and_is_not_steered(capsys: pytest.CaptureFixture[str]) -> None:
    await sender_of(settings("console")).send(Letter("a@b.org", "Hé", "one\ntwo\x1b[2J\r"))
    assert capsys.readouterr() == ("", "--- mail to a@b.org: Hé\none\ntwo\ufffd[2J\ufffd\n---\n")


class Own:
    """A sender of one's own."""

    def __init__(self, told: Settings) -> None:
        self.told, self.letters = told, list[Letter]()

    async def send(self, letter: Letter) -> None:
        self.letters.append(letter)


class NoSender:
    """Not one."""

    def __init__(self, told: Settings) -> None: ...

    def send(self, letter: Letter) -> None: ...


async def test_a_sender_of_ones_own_is_called_with_the_settings() -> None:
    told = settings(f"{__name__}:Own")
    sender = sender_of(told)
    assert isinstance(sender, Own)
    await sender.send(LETTER)
    assert (sender.told, sender.letters) == (told, [LETTER])


# What is refused


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "@example.org",
        "ana@",
        "ana@example.org\r\nBcc: eve@example.org",
        "ana@example.org\n",
        "ana@example.org, eve@example.org",
        "ana,eve@example.org",
        "Ana <ana@example.org>",
        "ana(eve)@example.org",
        '"ana eve"@example.org',
        "ana@[127.0.0.1]",
        "-oQ@example.org",
        "ana@exam ple.org",
        "ü,eve@example.org",
        "ana@ü..org",
        "ana\u2028@example.org",
        "ana\x00@example.org",
        "ana\ud800@example.org",
    ],
)
async def test_what_is_no_address_gets_no_mail(address: str, post: Post, tmp_path: Path) -> None:
    for sender in (to(post), sender_of(settings(f"file:{tmp_path}/m")), sender_of(settings("console"))):
        with pytest.raises(UndeliverableError):
            await sender.send(Letter(address, "subject", "text"))
    assert not post.mails
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("subject", ["", " ", "a\r\nBcc: eve@example.org", "a\nb", "a\u2028b", "a\x00b", "a\ud800"])
async def test_a_subject_makes_no_headers(subject: str, post: Post) -> None:
    with pytest.raises(UndeliverableError):
        await to(post).send(Letter("ana@example.org", subject, "text"))
    with pytest.raises(UndeliverableError):
        await to(post).send(Letter("ana@example.org", "s", "half a \ud800"))
    assert not post.mails


@pytest.mark.parametrize(
    "mail",
    [
        "",
        "post",
        "file:",
        "smtp://",
        "smtp://:587",
        "smtp://host:port",
        "smtp://host:99999",
        "smtp://[::1",
        "smtp://host/path",
        "smtp://host?tls=no",
        "smtp://:hush@host",
        "smtp://user:h%C3%BCsh-hush@host",
        "no.such.module:Thing",
        f"{__name__}:Nothing",
        f"{__name__}:NoSender",
        f"{__name__}:LETTER",
        f"{__name__}:PASSWORD",
        f"{__name__}:make_certificate",
    ],
)
def test_a_setting_that_means_nothing_is_told_and_shows_no_password(mail: str) -> None:
    with pytest.raises(ConfigError) as refused:
        sender_of(settings(mail or " "))
    assert refused.value.code == "setting"
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("sender", ["nobody", "a@b.org, c@d.org", "<>", "a@b.org\nBcc: c@d.org"])
def test_the_sender_is_one_address(sender: str) -> None:
    with pytest.raises(ConfigError) as refused:
        sender_of(settings("console", MAIL_FROM=sender))
    assert "MAIL_FROM" in str(refused.value)


def test_nothing_shows_the_password() -> None:
    told = settings("smtp://user:hush%3Ahush@host:25")
    sender = sender_of(told)
    assert isinstance(sender, SmtpSender)
    assert (sender.user, sender.password) == ("user", "hush:hush")
    assert "hush" not in f"{told!r} {sender!r} {told.model_dump_json()}"


@pytest.mark.parametrize("answers", ["nobody", "a@b.org, c@d.org", "a@b.org\nBcc: eve@example.org"])
def test_where_answers_go_is_one_address(answers: str) -> None:
    with pytest.raises(ConfigError, match="MAIL_REPLY_TO"):
        sender_of(settings("console", MAIL_REPLY_TO=answers))


async def test_answers_go_to_people_and_a_reader_may_say_no(post: Post) -> None:
    sender = sender_of(settings(f"smtp://127.0.0.1:{post.port}", MAIL_REPLY_TO="Hélp <help@pana.example>"))
    await sender.send(replace(LETTER, stop="https://pana.example/settings"))
    await sender.send(LETTER)
    (first, second) = (message for _, _, message in post.mails)
    assert str(first["Reply-To"]) == "Hélp <help@pana.example>"
    assert first["List-Unsubscribe"] == "<https://pana.example/settings>"
    assert second["List-Unsubscribe"] is None
