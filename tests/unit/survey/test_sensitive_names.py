"""Names that say that a field holds a secret, and names that only sound like it."""

from __future__ import annotations

import pytest

from isthmus.survey.sensitive_names import is_sensitive


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Password",
        "passwordHash",
        "hashed_password",
        "passwd",
        "PWD",
        "user_pass",
        "token",
        "accessToken",
        "refresh-tokens",
        "APIToken",
        "reset_token",
        "jwt",
        "secret",
        "clientSecret",
        "session_state",
        "CLIENT_SECRET",
        "apiKey",
        "api_keys",
        "apikey",
        "APIKEY",
        "APIKeys",
        "openAiKey",
        "key",
        "privateKey",
        "ssn",
        "SSN",
        "socialSecurityNumber",
        "card",
        "creditCard",
        "card_number",
        "cardNo",
        "cvv",
        "iban",
        "bankAccountNumber",
        "pin",
        "otp",
        "salt",
        "contraseña",
        "Kennwort",
        "пароль",
        "passport_no",
        "recoveryCodes",
        "credentials",
    ],
)
def test_name_of_a_secret_is_sensitive(name: str) -> None:
    assert is_sensitive((name,))


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "email",
        "keyword",
        "keywords",
        "monkey",
        "publicKey",
        "primary_key",
        "s3_key",
        "secretary",
        "tokenize",
        "tokenType",
        "tokens_used",
        "passwordChangedAt",
        "password_reset_expires",
        "passenger",
        "passed",
        "compass",
        "cards",
        "cardTitle",
        "businessCard",
        "discard",
        "pinned",
        "shipping",
        "keyCount",
        "account_id",
        "account_number",
        "[]",
        "*",
        "",
    ],
)
def test_name_that_only_sounds_like_a_secret_is_not(name: str) -> None:
    assert not is_sensitive((name,))


def test_what_stands_inside_of_a_secret_is_sensitive_too() -> None:
    assert is_sensitive(("card", "number"))
    assert is_sensitive(("tokens", "[]", "value"))
    assert is_sensitive(("services", "*", "secret"))
    assert not is_sensitive(("profile", "name"))
    assert not is_sensitive(())
