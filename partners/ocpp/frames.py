"""OCPP-J frames: text to message and back, for every version, whatever the text.

`read` never raises. What is not a message becomes a `BadFrame` that says what to answer: the id to answer
under, when one can be read out of the wreck, and else `-1` in 2.x, nothing in 1.6.

Guards before the tree is believed: at most 32 levels, numbers of at most 32 digits, no NaN (JSON has none). A
key that comes twice counts as its last, which JSON allows: refusing it would lose a transaction, and its text
is kept raw. A byte order mark is dropped. NUL characters, which firmware leaves at the end of fixed buffers,
are dropped, in text and behind the frame; other control characters that stand in text as they are, which JSON
does not allow, are read, and half of a surrogate pair becomes `?`. A charger that sends such a frame would only
send it again. So it would one that carries money (rules R1, R8): of these what is no number, or too long a one, becomes
what nobody takes for a number, and its field is one that cannot be read.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final

import msgspec

from hub.core.jsontypes import Json, Tree
from partners.ocpp.answers import UNNAMED, Fault, code
from partners.ocpp.schemas import TRANSACTION_ACTIONS

MAX_DEPTH: Final = 32
MAX_DIGITS: Final = 32
MAX_ID: Final = 36
MAX_ACTION: Final = 64

_READABLE_ID = re.compile(r'\s*\[\s*2\s*,\s*(?:"([^"\\]{1,36})"|(-?[0-9]{1,18}))\s*[,\]]')
_ODD_TEXT = re.compile(r"[\x00-\x1f]|\\u[dD][89a-fA-F]")
"""What may stand in the texts of a frame and keep it from being JSON."""
_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")
_TOO_MANY = b"0" * (MAX_DIGITS + 1)
_SHAPELESS: Final = bytes(code for code in range(256) if code not in b'[]{}"')


class Call(msgspec.Struct, frozen=True):
    """A CALL, or a SEND of 2.1 when nobody waits for an answer. `raw` is the frame as it came."""

    id: str
    action: str
    payload: Tree
    raw: str
    expects_answer: bool = True


class Result(msgspec.Struct, frozen=True):
    """A CALLRESULT."""

    id: str
    payload: Tree


class Error(msgspec.Struct, frozen=True):
    """A CALLERROR; in 2.1 also a CALLRESULTERROR, the complaint about an answer of ours (`about_result`)."""

    id: str
    code: str
    description: str
    about_result: bool = False


class BadFrame(msgspec.Struct, frozen=True):
    """No message. `id` is whom to answer, None when there is nobody to be answered."""

    fault: Fault
    why: str
    id: str | None


Frame = Call | Result | Error | BadFrame


def read(text: str, version: str) -> Frame:
    """The message that `text` is. Never raises."""
    try:
        tree = _tree(text)
        if _is_suspicious(text):
            tree = _checked(tree)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        tree = _about_money(text, version)
        if tree is None:
            return _wreck(text, version, "not JSON, or beyond the limits of depth and digits")
    if type(tree) is not list or not tree:
        return _wreck(text, version, "not a JSON array")
    kind = tree[0]
    if type(kind) is not int:
        return _wreck(text, version, "the message type is not an integer")
    if len(tree) < 2 or type(tree[1]) is not str or not 0 < len(tree[1]) <= MAX_ID:
        return _wreck(text, version, "the message id is not a string of 1 to 36 characters")
    return _message(kind, tree, text, version)


def call(message_id: str, action: str, payload: Tree) -> str:
    """A CALL of ours; keys keep their order."""
    return _encode([2, message_id, action, payload])


def result(message_id: str, payload: Tree) -> str:
    """A CALLRESULT of ours."""
    return _encode([3, message_id, payload])


def error(message_id: str, fault: Fault, version: str, description: str = "") -> str:
    """A CALLERROR of ours. Details stay empty: they would carry the charger's own data back into logs."""
    return _encode([4, message_id, code(fault, version), (description or str(fault))[:255], {}])


def result_error(message_id: str, fault: Fault, version: str, description: str = "") -> str:
    """A CALLRESULTERROR of ours: an answer of the charger cannot be understood. 2.1 alone knows it."""
    return _encode([5, message_id, code(fault, version), (description or str(fault))[:255], {}])


def _message(kind: int, tree: list[Json], text: str, version: str) -> Frame:
    if kind == 2 or (kind == 6 and version == "2.1"):
        return _call(kind, tree, text)
    if kind == 3:
        if len(tree) == 3 and type(tree[2]) in (dict, type(None)):
            return Result(tree[1], tree[2] or {})
        return BadFrame(Fault.FORMAT, "not a CALLRESULT of three elements", None)
    if kind == 4 or (kind == 5 and version == "2.1"):
        words = [word if type(word) is str else "" for word in tree[2:4]]
        return Error(tree[1], (words[0] if words else "")[:64] or UNNAMED, "".join(words[1:])[:255], kind == 5)
    return BadFrame(Fault.MESSAGE_TYPE, "unknown message type", None if version == "1.6" else tree[1])


def _call(kind: int, tree: list[Json], text: str) -> Frame:
    answer_to = tree[1] if kind == 2 else None
    if len(tree) != 4:
        return BadFrame(Fault.FORMAT, "a CALL has four elements", answer_to)
    action, payload = tree[2], tree[3]
    if type(action) is not str or not 0 < len(action) <= MAX_ACTION:
        return BadFrame(Fault.FORMAT, "the action is not a string", answer_to)
    if payload is None:
        payload = {}
    if type(payload) is not dict:
        return BadFrame(Fault.FORMAT, "the payload is not an object", answer_to)
    return Call(tree[1], action, payload, text, kind == 2)


def _wreck(text: str, version: str, why: str) -> BadFrame:
    match = _READABLE_ID.match(text.removeprefix("\ufeff")[:200])
    if match is not None:
        return BadFrame(Fault.FORMAT, why, match[1] or match[2])
    return BadFrame(Fault.FRAMEWORK, why, None if version == "1.6" else "-1")


def _tree(text: str) -> Json:
    text = text.removeprefix("\ufeff")
    try:
        return _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError):
        if not _ODD_TEXT.search(text):
            raise
    lenient = json.loads(text.replace("\0", ""), strict=False, parse_float=_number, parse_constant=_no_number)
    return _checked(lenient)


def _about_money(text: str, version: str) -> Json:
    """The tree of a CALL that must not be refused, with a list in place of each number beyond the limits; else None.

    A list is what no field of ours is read from; a text could be taken for a card, and nothing for a multiplier of 1.
    """
    text = text.removeprefix("\ufeff").replace("\0", "")
    try:
        tree = _checked(
            json.loads(text, strict=False, parse_float=_number_if_any, parse_int=_whole_if_any, parse_constant=_unread)
        )
    except (ValueError, RecursionError):
        return None
    is_call = type(tree) is list and len(tree) == 4 and tree[0] == 2
    return tree if is_call and tree[2] in TRANSACTION_ACTIONS[version] else None


def _number_if_any(text: str) -> Json:
    try:
        return _number(text)
    except ValueError:
        return _unread(text)


def _whole_if_any(text: str) -> Json:
    return int(text) if len(text.removeprefix("-")) <= MAX_DIGITS else _unread(text)


def _unread(text: str) -> Json:
    """What stands for a number that cannot be read."""
    return ["not a number that can be read"]


def _is_suspicious(text: str) -> bool:
    """Could `text` nest too deep, hold too long a number, or NUL? Cheap, and wrong only towards yes."""
    brackets = text.count("[") + text.count("{")
    return (
        (brackets > MAX_DEPTH and not _is_shallow(text))
        or _TOO_MANY in text.encode().translate(_TO_ZERO)
        or "\\u0000" in text
    )


def _is_shallow(text: str) -> bool:
    """Does JSON of many brackets surely keep to the depth? A long list is ordinary, and need not be walked for that.

    Without a backslash each quote begins or ends a string; where one is left over, a string holds a bracket. Each step
    takes away one level at most.
    """
    if "\\" in text:
        return False
    shape = text.encode().translate(None, _SHAPELESS).replace(b'""', b"")
    for _ in range(MAX_DEPTH // 2):
        if not shape:
            break
        shape = shape.replace(b"[]", b"").replace(b"{}", b"")
    return not shape


def _checked(tree: Json) -> Json:
    """`tree` without NUL characters. Raises: ValueError, for too deep a nesting or too long a number."""
    return _clean(tree, MAX_DEPTH)


def _clean(value: Json, levels: int) -> Json:
    if type(value) is str:
        return value if value.isprintable() else value.replace("\0", "").encode("utf-8", "replace").decode()
    if type(value) is int and abs(value) >= 10**MAX_DIGITS:
        raise ValueError("a number has too many digits")
    if type(value) not in (dict, list):
        return value
    if levels == 0:
        raise ValueError("nested too deep")
    if type(value) is list:
        return [_clean(item, levels - 1) for item in value]
    return {_clean(key, 0): _clean(item, levels - 1) for key, item in value.items()}


def _number(text: str) -> Decimal:
    """A number with a fraction or an exponent.

    Raises: ValueError, when it is absurdly long, large or small.
    """
    if len(text) > MAX_DIGITS + 4:
        raise ValueError("a number has too many digits")
    number = Decimal(text)
    if not number.is_finite() or abs(number.adjusted()) > MAX_DIGITS:
        raise ValueError("a number has too large an exponent")
    return number


def _no_number(word: str) -> Json:
    """Raises: ValueError, for NaN and Infinity."""
    raise ValueError(f"{word} is no number")


def _encode(message: list[Json]) -> str:
    return _ENCODER.encode(message).decode()


_DECODER: Final[msgspec.json.Decoder[Json]] = msgspec.json.Decoder(float_hook=_number)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=Decimal)
"""A charger gets a number that came with an exponent (`inbound.Written`) as any other."""
