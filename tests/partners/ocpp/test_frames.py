"""Frames as hostile, broken and merely careless chargers send them."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.core.inbound import parse
from partners.ocpp import frames, schemas
from partners.ocpp.answers import VERSIONS, Fault
from partners.ocpp.frames import BadFrame, Call, Error, Result

HEARTBEAT = '[2,"m1","Heartbeat",{}]'

NO_MESSAGE = {
    "nothing": "",
    "a blank": " ",
    "no JSON": "hello",
    "an object": "{}",
    "null": "null",
    "an empty list": "[]",
    "only a type": "[2]",
    "NaN": "[NaN]",
    "a type that is a fraction": '[2.0,"m1","Heartbeat",{}]',
    "a type that is true": '[true,"m1","Heartbeat",{}]',
    "a type that is text": '["2","m1","Heartbeat",{}]',
    "a type of 5,000 digits": "[" + "2" * 5000 + ',"m1","Heartbeat",{}]',
    "an id that is null": '[2,null,"Heartbeat",{}]',
    "an id that is an object": '[2,{},"Heartbeat",{}]',
    "an empty id": '[2,"","Heartbeat",{}]',
    "an id of 37": f'[2,"{"x" * 37}","Heartbeat",{{}}]',
    "an id of a megabyte": f'[2,"{"x" * 1_000_000}","Heartbeat",{{}}]',
    "5,000 brackets": "[" * 5000,
    "5,000 closed brackets": "[" * 5000 + "]" * 5000,
}
ANSWERABLE = {
    "half a frame": '[2,"m1","Heartb',
    "NaN": '[2,"m1","Heartbeat",{"a":NaN}]',
    "Infinity": '[2,"m1","Heartbeat",{"a":-Infinity}]',
    "1e999999": '[2,"m1","Heartbeat",{"a":1e999999}]',
    "1e400": '[2,"m1","Heartbeat",{"a":1e400}]',
    "a number of 5,000 digits": '[2,"m1","Heartbeat",{"a":' + "9" * 5000 + "}]",
    "a number of 40 digits": '[2,"m1","Heartbeat",{"a":' + "9" * 40 + "}]",
    "a fraction of 5,000 digits": '[2,"m1","Heartbeat",{"a":0.' + "9" * 5000 + "}]",
    "an Arabic digit": '[2,"m1","Heartbeat",{"a":٣}]',
    "depth 5,000": '[2,"m1","Heartbeat",{"a":' + "[" * 5000 + "]" * 5000 + "}]",
    "depth 200": '[2,"m1","Heartbeat",{"a":' + "[" * 200 + "]" * 200 + "}]",
    "trailing text": HEARTBEAT + "x",
    "no action": '[2,"m1"]',
    "no payload": '[2,"m1","Heartbeat"]',
    "a fifth element": '[2,"m1","Heartbeat",{},1]',
    "an action that is an object": '[2,"m1",{"a":1},{}]',
    "an action that is a list": '[2,"m1",["Heartbeat"],{}]',
    "an action that is null": '[2,"m1",null,{}]',
    "an empty action": '[2,"m1","",{}]',
    "an action of 100 characters": f'[2,"m1","{"H" * 100}",{{}}]',
    "a payload that is a list": '[2,"m1","Heartbeat",[]]',
    "a payload that is text": '[2,"m1","Heartbeat","x"]',
}


@pytest.mark.parametrize("text", NO_MESSAGE.values(), ids=NO_MESSAGE.keys())
def test_what_is_no_message_is_answered_under_minus_one_in_2x_and_ignored_in_16(text: str) -> None:
    in_16, in_201 = frames.read(text, "1.6"), frames.read(text, "2.0.1")
    assert isinstance(in_16, BadFrame)
    assert isinstance(in_201, BadFrame)
    assert in_16.id is None
    assert (in_201.id, in_201.fault) == ("-1", Fault.FRAMEWORK)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("text", ANSWERABLE.values(), ids=ANSWERABLE.keys())
def test_a_broken_call_whose_id_can_be_read_is_answered_under_it(text: str, version: str) -> None:
    frame = frames.read(text, version)
    assert isinstance(frame, BadFrame)
    assert (frame.id, frame.fault) == ("m1", Fault.FORMAT)


NUMBERLESS = ["NaN", "-Infinity", "1e308", "1e999", "9" * 5000, "-" + "9" * 40, "0." + "1" * 60]


@pytest.mark.parametrize("number", NUMBERLESS, ids=lambda text: text[:10])
@pytest.mark.parametrize("version", VERSIONS)
def test_a_message_about_money_is_understood_but_for_numbers_that_cannot_be_read(version: str, number: str) -> None:
    for action in schemas.actions(version):
        text = f'[2,"m1","{action}",{{"a":{number},"b":[{{"c":-12.50}}],"d":"A\0B"}}]'
        frame = frames.read(text, version)
        if action not in schemas.TRANSACTION_ACTIONS[version]:
            assert isinstance(frame, BadFrame)
            continue
        assert isinstance(frame, Call)
        assert (frame.raw, frame.payload.pop("a")) == (text, ["not a number that can be read"])
        assert frame.payload == {"b": [{"c": Decimal("-12.5")}], "d": "AB"}


@pytest.mark.parametrize("wrong", ["1e400,", "NaN}]x", "NaN,1", "[" * 40 + "NaN" + "]" * 40, '9,"b":' + "[" * 5000])
def test_a_message_about_money_that_is_no_json_or_too_deep_is_refused(wrong: str) -> None:
    assert isinstance(frames.read(f'[2,"m1","StopTransaction",{{"a":{wrong}}}]', "1.6"), BadFrame)


def test_an_id_that_is_a_number_is_refused_under_that_number() -> None:
    frame = frames.read('[2,7,"Heartbeat",{}]', "1.6")
    assert frame == BadFrame(Fault.FORMAT, "the message id is not a string of 1 to 36 characters", "7")


@pytest.mark.parametrize(
    "text",
    [
        HEARTBEAT,
        "\ufeff" + HEARTBEAT,
        "  " + HEARTBEAT + "\n",
        '[2,"m1","Heartbeat",null]',
        '[2,"m1","Heartbeat",{}]\r\n',
    ],
)
def test_a_careless_call_is_understood(text: str) -> None:
    frame = frames.read(text, "1.6")
    assert isinstance(frame, Call)
    assert (frame.id, frame.action, frame.payload, frame.raw) == ("m1", "Heartbeat", {}, text)


def test_the_padding_of_a_fixed_buffer_is_dropped() -> None:
    frame = frames.read('[2,"m1","Authorize",{"idTag":"AB\\u0000\\u0000"}]', "1.6")
    assert isinstance(frame, Call)
    assert frame.payload == {"idTag": "AB"}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("AB\0\0", "AB"),
        ("A\x1bB\n", "A\x1bB\n"),
        ("A\\ud800", "A?"),
        ("\\udc00\\ud83d\\ude00", "?\U0001f600"),
        ("A\\u0000\\u001b", "A\x1b"),
    ],
)
def test_characters_that_do_not_belong_into_text_lose_no_message(sent: str, read: str) -> None:
    frame = frames.read(f'[2,"m1","Authorize",{{"idTag":"{sent}","n":1.50}}]\0\0', "1.6")
    assert isinstance(frame, Call)
    assert frame.payload == {"idTag": read, "n": Decimal("1.5")}


@pytest.mark.parametrize("wrong", ["NaN", "1" * 33, "[" * 40 + "]" * 40, "1e99"])
def test_a_frame_with_such_characters_keeps_within_the_limits(wrong: str) -> None:
    assert isinstance(frames.read(f'[2,"m1","X",{{"a":"\0","b":{wrong}}}]', "1.6"), BadFrame)


def nested(levels: int, *, opening: str = "", closing: str = "") -> str:
    """A frame of so many levels, two of them the frame's own, with these texts before each bracket."""
    inner = "1"
    for level in range(levels - 2):
        inner = f"[{opening}{inner}{closing}]" if level % 2 else f'{{"a":[{opening}{inner}{closing}]}}'
    return f'[2,"m1","X",{{"a":{inner},"b":[{",".join(["[{}]"] * 40)}]}}]'


DECOYS = {
    "nothing": ("", ""),
    "closed brackets in text": ('"]",', ',"["'),
    "closed brackets behind an escaped quote": ('"\\"]\\"",', ',"\\"[\\""'),
    "braces in text": ('"}",', ',"{"'),
    "empty texts": ('"","",', ',""'),
    "a text that ends in a quote": ('"]\\"",', ',"[\\""'),
}


def depth(value: Any) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(depth, value.values() if isinstance(value, dict) else value), default=0)


@pytest.mark.parametrize(("opening", "closing"), DECOYS.values(), ids=DECOYS.keys())
def test_no_text_hides_how_deep_a_frame_nests(opening: str, closing: str) -> None:
    for levels in range(4, 60):
        text = nested(levels, opening=opening, closing=closing)
        assert isinstance(frames.read(text, "1.6"), Call if depth(json.loads(text)) <= frames.MAX_DEPTH else BadFrame)


trees = st.recursive(
    st.sampled_from(["", "[", "]", "{", "}", '"', "\\", "x", 1]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["a", "]", '"[']), inner, max_size=3),
    max_leaves=60,
)


@given(tree=trees, levels=st.integers(0, 36))
@settings(max_examples=300)
def test_whatever_a_frame_holds_it_is_read_as_far_as_it_is_not_too_deep(tree: Any, levels: int) -> None:
    for _ in range(levels):
        tree = [[], tree]
    text = json.dumps([2, "m1", "X", {"a": tree, "b": [[]] * 40}])
    assert isinstance(frames.read(text, "1.6"), Call if depth(json.loads(text)) <= frames.MAX_DEPTH else BadFrame)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_long_list_is_read_without_a_walk_through_it(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It took most of the time that a message of thousands of samples kept all other chargers waiting."""
    walked: list[object] = []
    monkeypatch.setattr(frames, "_checked", walked.append)
    values = [{"value": str(n), "measurand": "SoC"} for n in range(4500)]
    payload = {"connectorId": 1, "meterValue": [{"timestamp": "2026-05-01T12:00:00Z", "sampledValue": values}]}
    frame = frames.read(json.dumps([2, "m1", "MeterValues", payload]), version)
    assert isinstance(frame, Call)
    assert (frame.payload, walked) == (payload, [])


def test_of_a_key_that_comes_twice_the_last_counts() -> None:
    frame = frames.read('[2,"m1","Authorize",{"idTag":"A","idTag":"B"}]', "1.6")
    assert isinstance(frame, Call)
    assert frame.payload == {"idTag": "B"}


def test_numbers_keep_every_digit() -> None:
    frame = frames.read('[2,"m1","X",{"a":0.1000000000000000055,"b":9007199254740993}]', "2.0.1")
    assert isinstance(frame, Call)
    assert frame.payload == {"a": Decimal("0.1000000000000000055"), "b": 9007199254740993}


def test_many_digits_in_text_are_no_number() -> None:
    frame = frames.read('[2,"m1","X",{"signed":"' + "1" * 500 + '"}]', "1.6")
    assert isinstance(frame, Call)


def test_thirty_two_levels_are_read_and_no_more() -> None:
    deep = '[2,"m1","X",{"a":' + "[" * 30 + "]" * 30 + "}]"
    assert isinstance(frames.read(deep, "1.6"), Call)
    assert isinstance(frames.read(deep.replace("[[", "[[[", 1).replace("]]", "]]]", 1), "1.6"), BadFrame)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[3,"m1",{"status":"Accepted"}]', Result("m1", {"status": "Accepted"})),
        ('[3,"m1",null]', Result("m1", {})),
        ('[4,"m1","GenericError","why",{}]', Error("m1", "GenericError", "why")),
        ('[4,"m1","GenericError"]', Error("m1", "GenericError", "")),
        ('[4,"m1",5,null]', Error("m1", "GenericError", "")),
        ('[4,"m1"]', Error("m1", "GenericError", "")),
    ],
)
def test_answers_are_read_leniently(text: str, expected: frames.Frame) -> None:
    assert frames.read(text, "1.6") == expected


def test_a_broken_answer_is_answered_by_nobody() -> None:
    assert frames.read('[3,"m1",[]]', "2.0.1") == BadFrame(Fault.FORMAT, "not a CALLRESULT of three elements", None)


def test_send_and_callresulterror_exist_only_in_21() -> None:
    send = '[6,"m1","NotifyPeriodicEventStream",{}]'
    in_21 = frames.read(send, "2.1")
    assert isinstance(in_21, Call)
    assert not in_21.expects_answer
    assert frames.read('[5,"m1","FormatViolation","",{}]', "2.1") == Error("m1", "FormatViolation", "", True)
    unknown = frames.read(send, "2.0.1")
    assert isinstance(unknown, BadFrame)
    assert (unknown.fault, unknown.id) == (Fault.MESSAGE_TYPE, "m1")
    ignored = frames.read(send, "1.6")
    assert isinstance(ignored, BadFrame)
    assert ignored.id is None


def test_errors_are_spelt_as_each_version_spells_them_and_carry_no_details() -> None:
    assert json.loads(frames.error("m", Fault.FORMAT, "1.6"))[2:] == ["FormationViolation", str(Fault.FORMAT), {}]
    assert json.loads(frames.error("m", Fault.FORMAT, "2.0.1"))[2] == "FormatViolation"
    assert json.loads(frames.error("m", Fault.OCCURRENCE, "1.6"))[2] == "OccurenceConstraintViolation"
    assert json.loads(frames.error("m", Fault.OCCURRENCE, "2.1"))[2] == "OccurrenceConstraintViolation"
    assert len(json.loads(frames.error("m", Fault.GENERIC, "1.6", "x" * 999))[3]) == 255


def test_what_we_send_keeps_the_order_of_keys_and_the_decimals() -> None:
    text = frames.call("m", "SetChargingProfile", {"b": Decimal("16.0"), "a": 1})
    assert text == '[2,"m","SetChargingProfile",{"b":16.0,"a":1}]'


def test_a_number_that_came_with_an_exponent_is_sent_in_plain_notation() -> None:
    limits = parse(b'{"limit":1.6e1,"more":[2E+2]}', limit=100)
    assert frames.call("m", "SetChargingProfile", limits) == '[2,"m","SetChargingProfile",{"limit":16,"more":[200]}]'


json_trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, database=None, derandomize=True)
@given(st.one_of(st.text(), json_trees.map(json.dumps), st.lists(json_trees, max_size=6).map(json.dumps)))
def test_nothing_makes_reading_raise(text: str) -> None:
    for version in VERSIONS:
        frames.read(text, version)
