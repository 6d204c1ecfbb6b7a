"""The many ways in which peers write the Authorization header (traps T-01, T-02)."""

from base64 import b64encode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.auth import MAX_HEADER, candidates, present
from hub.core.secrets import mint_token

TOKEN = "bb_~example?>token>>??"
STANDARD = b64encode(TOKEN.encode()).decode()
URL_SAFE = urlsafe_b64encode(TOKEN.encode()).decode()


def test_the_sample_makes_a_difference_between_the_alphabets() -> None:
    assert STANDARD != URL_SAFE
    assert STANDARD.endswith("=")


@pytest.mark.parametrize(
    "value",
    [
        TOKEN,
        STANDARD,
        STANDARD.rstrip("="),
        URL_SAFE,
        URL_SAFE.rstrip("="),
        b64encode(TOKEN.encode() + b"\n").decode(),
        b64encode(TOKEN.encode() + b"\r\n").decode(),
        b64encode(TOKEN.encode() + b"\n").decode().rstrip("="),
    ],
)
@pytest.mark.parametrize("scheme", ["Token ", "token ", "TOKEN ", "Token    ", "Token\t"])
def test_the_token_is_among_the_candidates_in_every_form_that_peers_use(scheme: str, value: str) -> None:
    found = candidates((scheme + value).encode())
    assert found[0] == value
    assert TOKEN in found
    assert len(found) == len(set(found))


def test_the_specification_s_own_sample_decodes_to_its_token() -> None:
    assert candidates(b"Token ZXhhbXBsZS10b2tlbgo=") == ["ZXhhbXBsZS10b2tlbgo=", "example-token"]


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"Token",
        b"Token ",
        b"Tokenabc",
        b"Bearer abc",
        b"Basic YTpi",
        b" Token abc",
        b"Token a b",
        b"Token \xc3\xa9",
        b"Token abc\r\nX: y",
        b"Token a\0b",
        b"Token " + b"a" * MAX_HEADER,
    ],
)
def test_what_is_no_token_header_has_no_candidates(header: bytes) -> None:
    assert candidates(header) == []


def test_lax_base64_is_not_decoded() -> None:
    assert candidates(b"Token dG9r!!ZW4=") == ["dG9r!!ZW4="]


def test_what_decodes_to_spaces_or_control_characters_is_no_candidate() -> None:
    for inner in (b"a b", b"a\0b", b"\nabc", "é".encode(), b""):
        value = b64encode(inner)
        assert candidates(b"Token " + value) == ([value.decode()] if value else [])


@pytest.mark.parametrize("form", ["raw", "base64"])
def test_what_we_present_is_understood_by_ourselves(form: str) -> None:
    token = mint_token()
    header = present(token, "raw" if form == "raw" else "base64")
    assert header.startswith("Token ")
    assert candidates(header.encode()).index(token) == (0 if form == "raw" else 1)


@given(st.binary(max_size=300))
def test_no_header_raises_and_every_candidate_is_printable(value: bytes) -> None:
    for header in (value, b"Token " + value):
        for candidate in candidates(header):
            assert candidate.isascii()
            assert candidate.isprintable()
            assert " " not in candidate
