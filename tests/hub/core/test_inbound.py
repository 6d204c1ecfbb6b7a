"""JSON in and out: what is refused, what is kept, and agreement with the parser of the standard library."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.errors import TooLarge, Unreadable
from hub.core.inbound import MAX_DEPTH, encode, parse, reread
from hub.core.types.reading import as_number

LIMIT = 1 << 20

TREES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**31), 10**31)
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner, max_size=4)
    ),
    max_leaves=12,
)
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    '"',
    "\\",
    '"a"',
    '"a":',
    '"\\u0061":',
    '"\\ud800',
    "\\udc00",
    '"\\""',
    '"["',
    '"]}"',
    '"\\u0022:"',
    '"\\\\"',
    '"\\\\u0000"',
    "\\u0000",
    "é",
    "0",
    "1.5",
    "-",
    "1e5",
    "1E-7",
    "1234567890123456",
    "true",
    "null",
    "NaN",
]
JSONISH = st.lists(st.sampled_from([*PIECES, " ", "\n", "\0"]), max_size=14).map("".join)


def reference(body: bytes) -> Any:
    """The same rules with the standard library, slow and plain. Raises: ValueError and its like."""

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            raise ValueError("repeated")
        return found

    def constant(_: str) -> Any:
        raise ValueError("constant")

    def number(text: str) -> Any:
        found = Decimal(text)
        if abs(found.adjusted()) > 99 or sum(map(str.isdigit, format(found, "f"))) > 32:
            raise ValueError("digits")
        return int(text) if text.lstrip("-").isdigit() else found

    text = body.decode("utf-8", "strict")
    tree = json.loads(text, object_pairs_hook=pairs, parse_constant=constant, parse_float=number, parse_int=number)
    written = json.dumps(tree, default=str, ensure_ascii=False)
    written.encode("utf-8", "strict")  # refuses lone surrogates
    if "\\u0000" in written.replace("\\\\", ""):
        raise ValueError("NUL")
    return tree


@given(st.binary(max_size=60) | JSONISH.map(str.encode) | TREES.map(encode))
@example(b'{"a":1,"\\u0061":2}')
@example(b'{"a":1,"a":"\\u0022:"}')
@example(b'"\\ud800\\ud800"')
@example(b'{"":{},"":{}}')
@example(b"\xef\xbb\xbf{}")
def test_it_reads_what_a_strict_reader_reads_and_nothing_else(body: bytes) -> None:
    try:
        expected = reference(body)
    except (ValueError, RecursionError, ArithmeticError):
        with pytest.raises(Unreadable):
            parse(body, limit=LIMIT)
        return
    assert parse(body, limit=LIMIT) == expected


@given(TREES)
def test_what_was_read_is_written_the_same_again(tree: Any) -> None:
    once = encode(parse(encode(tree), limit=LIMIT))
    assert encode(parse(once, limit=LIMIT)) == encode(reread(once)) == once
    assert parse(once, limit=LIMIT) == reread(once) == tree


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nul",
        b'{"a":NaN}',
        b"[Infinity]",
        b"[-Infinity]",
        b'{"a":1,"a":1}',
        b'{"x":{"a":1,"b":{},"a":2}}',
        b'{"a":1,"\\u0061":2}',
        b'"\\ud800"',
        b'"\\udc00x"',
        b'"a\\u0000b"',
        b'"a\0b"',
        b'"\xff"',
        b'"\xed\xa0\x80"',
        '{"a":1}'.encode("utf-16"),
        '{"a":1}'.encode("utf-8-sig"),
        b"1" * 33,
        b"-" + b"1" * 5000,
        b"0." + b"1" * 33,
        b"1e99",
        b"1e-99",
        b"1e999999999999999999999",
        b"12345678901234567.12345678901234567",
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"[1,]",
        b"'a'",
        b"01",
        b"{} {}",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        parse(body, limit=LIMIT)
    assert len(caught.value.message) <= 160


def test_a_body_of_exactly_the_limit_is_read_and_one_byte_more_is_not() -> None:
    assert parse(b'"abc"', limit=5) == "abc"
    with pytest.raises(TooLarge):
        parse(b'"abcd"', limit=5)


def test_the_deepest_nesting_and_the_longest_number_are_read() -> None:
    deepest = b"[" * MAX_DEPTH + b"]" * MAX_DEPTH
    assert encode(parse(deepest, limit=LIMIT)) == deepest
    assert parse(b"9" * 32, limit=LIMIT) == 10**32 - 1
    assert parse(b"0." + b"9" * 31, limit=LIMIT) == Decimal("0." + "9" * 31)


def test_brackets_and_digits_inside_strings_do_not_count() -> None:
    text = "[{" * 100 + "1" * 100 + '\\"'
    assert parse(json.dumps({"a": text}).encode(), limit=LIMIT) == {"a": text}


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert parse(b'"\\\\u0000"', limit=LIMIT) == "\\u0000"


def test_a_fraction_becomes_a_decimal_with_its_digits_and_an_integer_stays_one() -> None:
    tree = parse(b'{"kwh":0.50,"amount":3}', limit=LIMIT)
    assert str(tree["kwh"]) == "0.50"
    assert type(tree["amount"]) is int


@pytest.mark.parametrize(
    ("number", "written"),
    [
        (Decimal("1E+5"), b"100000"),
        (Decimal("1E-8"), b"0.00000001"),
        (Decimal("0.50"), b"0.50"),
        (Decimal("-0.0"), b"-0.0"),
        (10**20, b"100000000000000000000"),
    ],
)
def test_numbers_are_written_in_plain_notation(number: object, written: bytes) -> None:
    assert encode([number, "DE-8AC 1E-5"]) == b"[" + written + b',"DE-8AC 1E-5"]'


def test_a_number_with_an_exponent_is_written_as_it_came_and_is_the_number_that_it_says() -> None:
    body = b'{"a":2e3,"b":[1E-7,-0e2,1E+5,0.10e1],"c":1.50}'
    tree = parse(body, limit=LIMIT)
    assert encode(tree) == body
    assert encode([tree["a"], Decimal("1E+5")]) == b"[2e3,100000]"
    assert (tree["a"], str(tree["a"]), str(tree["a"] + 1)) == (2000, "2000", "2001")
    assert encode(as_number(tree["a"])) == b"2000"


@pytest.mark.parametrize("number", ["NaN", "sNaN", "Infinity", "-Infinity", "1E+999999"])
def test_what_json_cannot_carry_is_never_written(number: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        encode({"a": [Decimal(number)]})
