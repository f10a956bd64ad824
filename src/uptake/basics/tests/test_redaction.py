"""No secret survives redaction, and ordinary words do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from uptake.basics.redaction import redact

SECRET = "s3cr3t-Value_9"


@pytest.mark.parametrize(
    "text",
    [
        f"key upk_{SECRET} was refused",
        f"Authorization: Bearer {SECRET}",
        f"Authorization: Basic {SECRET}==",
        f"authorization: {SECRET}",
        f"{{'Authorization': 'Bearer {SECRET}'}}",
        f"(b'authorization', b'Bearer {SECRET}')",
        f"password={SECRET}&next=/",
        f'{{"new_password1": "{SECRET}"}}',
        f"'password': '{SECRET} with spaces {SECRET}'",
        f"SECRET_KEY = '{SECRET}'",
        f"api-key: {SECRET}",
        f"Cookie: sessionid={SECRET}; csrftoken={SECRET}",
        f"postgresql://uptake:{SECRET}@db:5432/uptake",
        f"smtp+tls://me%40here:{SECRET}@mail",
        f"GET /account/password/reset/key/1-{SECRET}/ 200",
        f"GET /impact/shared/{SECRET}/report.pdf 200",
        f"GET /account/mails/stop/{SECRET}?x=1 200",
    ],
)
def test_secrets_are_taken_out(text: str) -> None:
    assert SECRET not in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /account/password/change/ 200 12 ms",
        "ValueError: no such table: jobs_jobrun",
        "postgresql://db:5432/uptake",
        "The password was changed.",
        "12 tokens of 5 people: 60",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


@given(st.text(alphabet=st.characters(categories=["L", "N"], max_codepoint=127), min_size=8))
def test_a_key_is_taken_out_wherever_it_stands(secret: str) -> None:
    assert secret not in redact(f"before upk_{secret} after").replace("before", "").replace("after", "")
