"""Does an object keep to the specification? Every breach by JSON pointer, none forgiven.

`check` walks the tables of one edition; `RULES_OF` adds what the text says beside the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from partners.sandbox.spec import Edition, Field, edition
from partners.sandbox.wire import Json, instant

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z")
_URL = re.compile(r"https?://[^\s/?#]+\S*")
_HOUR = r"([0-1][0-9]|2[0-3]):[0-5][0-9]"
_PATTERNS: Mapping[str, str] = {
    "latitude": r"-?[0-9]{1,2}\.[0-9]{5,7}",
    "longitude": r"-?[0-9]{1,3}\.[0-9]{5,7}",
    "period_begin": _HOUR,
    "period_end": _HOUR,
    "start_time": _HOUR,
    "end_time": _HOUR,
    "start_date": r"([12][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "end_date": r"([12][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])",
    "country_code": r"[A-Za-z]{2}",
    "party_id": r"[A-Za-z0-9]{3}",
    "country": r"[A-Z]{3}",
    "currency": r"[A-Z]{3}",
}
_SESSION_ONLY = frozenset({"CURRENT", "ENERGY_EXPORT", "ENERGY_IMPORT", "POWER", "STATE_OF_CHARGE"})

Breach = str
"""`<json pointer>: <what is wrong>`"""


def check(version: str, kind: str, tree: Json, *, partial: bool = False) -> list[Breach]:
    """Every breach in `tree`, an object of type `kind`. In a `partial` one, a PATCH, fields may be absent."""
    book = edition(version)
    breaches = list(_object(book, kind, tree, "", partial=partial))
    if not breaches and not partial:
        for rule in _RULES_OF.get(kind, ()):
            breaches += rule(version, tree)
    return breaches


def _object(book: Edition, kind: str, tree: Json, at: str, *, partial: bool = False) -> Iterator[Breach]:
    if not isinstance(tree, dict):
        yield f"{at or '/'}: is not an object"
        return
    for field in book.objects[kind].values():
        value = tree.get(field.name)
        here = f"{at}/{field.name}"
        if value is None or (field.many and value == []):
            missing = field.required and (not partial or field.name in tree)
            if missing:
                yield f"{here}: is required"
        elif not field.many:
            yield from _value(book, field, value, here)
        elif not isinstance(value, list):
            yield f"{here}: is not an array"
        else:
            for index, item in enumerate(value):
                yield from _value(book, field, item, f"{here}/{index}")


def _value(book: Edition, field: Field, value: Json, at: str) -> Iterator[Breach]:
    if field.kind in book.objects:
        yield from _object(book, field.kind, value, at)
    elif field.kind in book.enums:
        known = value in book.enums[field.kind] if isinstance(value, str) else False
        if not known and not (isinstance(value, str) and field.kind in book.open_enums):
            yield f"{at}: {value!r} is not a {field.kind} of {book.version}"
    else:
        wrong = _PRIMITIVES[field.kind](book, field, value)
        if wrong:
            yield f"{at}: {wrong}"


def _string(book: Edition, field: Field, value: Json) -> str | None:
    if not isinstance(value, str):
        return "is not a string"
    if field.length is not None and len(value) > field.length:
        return f"is longer than {field.length} characters"
    ascii_only = field.kind == "CiString" or book.version == "2.1.1"
    if not value.isprintable() or (ascii_only and not value.isascii()):
        return "holds characters that may not be printed here"
    pattern = _PATTERNS.get(field.name)
    if pattern and field.length is not None and not re.fullmatch(pattern, value):
        return f"does not have the form {pattern}"
    if book.version == "2.1.1" and field.name in ("latitude", "longitude") and len(value.split(".")[1]) != 6:
        return "does not have exactly six decimals"
    return None


def _datetime(_book: Edition, _field: Field, value: Json) -> str | None:
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return "is not a DateTime in UTC with its Z"
    try:
        instant(value)
    except ValueError:
        return "is not a moment that exists"
    return None


def _url(_book: Edition, _field: Field, value: Json) -> str | None:
    fits = isinstance(value, str) and len(value) <= 255 and _URL.fullmatch(value)
    return None if fits else "is not an absolute URL of at most 255 characters"


def _number(_book: Edition, _field: Field, value: Json) -> str | None:
    if not isinstance(value, int | Decimal) or isinstance(value, bool):
        return "is not a JSON number"
    decimals = -int(Decimal(value).normalize().as_tuple().exponent)
    return "has more than four decimals" if decimals > 4 else None


def _int(_book: Edition, field: Field, value: Json) -> str | None:
    if not isinstance(value, int) or isinstance(value, bool):
        return "is not an integer"
    if field.length is not None and len(str(abs(value))) > field.length:
        return f"has more than {field.length} digits"
    return None


def _boolean(_book: Edition, _field: Field, value: Json) -> str | None:
    return None if isinstance(value, bool) else "is not a boolean"


def _module(_book: Edition, _field: Field, value: Json) -> str | None:
    return None if isinstance(value, str) and value else "is not a module id"


_PRIMITIVES: Mapping[str, Callable[[Edition, Field, Json], str | None]] = {
    "string": _string,
    "CiString": _string,
    "DateTime": _datetime,
    "URL": _url,
    "number": _number,
    "int": _int,
    "boolean": _boolean,
    "ModuleID": _module,
}


def _changed_with_children(version: str, tree: Json) -> Iterator[Breach]:
    """A change below bumps last_updated above. OCPI mod_locations (2.2+: SHALL)."""
    for name in ("evses", "connectors") if version != "2.1.1" else ():
        for index, child in enumerate(tree.get(name) or ()):
            if instant(child["last_updated"]) > instant(tree["last_updated"]):
                yield f"/{name}/{index}/last_updated: is later than that of what it belongs to"
            yield from (f"/{name}/{index}{breach}" for breach in _changed_with_children(version, child))


def _publication(version: str, tree: Json) -> Iterator[Breach]:
    if version != "2.1.1" and tree["publish"] and tree.get("publish_allowed_to"):
        yield "/publish_allowed_to: may be set only when publish is false"


def _hours(version: str, tree: Json) -> Iterator[Breach]:
    hours = tree.get("opening_times") or {}
    if version != "2.1.1" and hours and hours["twentyfourseven"] == bool(hours.get("regular_hours")):
        yield "/opening_times/regular_hours: is given if, and only if, twentyfourseven is false"


def _session_end(version: str, tree: Json) -> Iterator[Breach]:
    names = ("start_datetime", "end_datetime") if version == "2.1.1" else ("start_date_time", "end_date_time")
    end = tree.get(names[1])
    if end and instant(end) < instant(tree[names[0]]):
        yield f"/{names[1]}: is before the start"
    if tree["status"] == "COMPLETED" and not end:
        yield f"/{names[1]}: is missing from a COMPLETED Session"


def _cdr_times(version: str, tree: Json) -> Iterator[Breach]:
    end = "stop_date_time" if version == "2.1.1" else "end_date_time"
    if instant(tree[end]) < instant(tree["start_date_time"]):
        yield f"/{end}: is before the start"
    starts = [instant(period["start_date_time"]) for period in tree["charging_periods"]]
    if starts != sorted(starts):
        yield "/charging_periods: are not in order"
    if starts[0] < instant(tree["start_date_time"]) or starts[-1] > instant(tree[end]):
        yield "/charging_periods: reach beyond the CDR"


def _cdr_dimensions(version: str, tree: Json) -> Iterator[Breach]:
    """Some dimensions are for Sessions only. OCPI mod_cdrs_cdrdimensiontype_enum."""
    if version == "2.1.1":
        return
    used = {dimension["type"] for period in tree["charging_periods"] for dimension in period["dimensions"]}
    for kind in sorted(used & _SESSION_ONLY):
        yield f"/charging_periods: {kind} is for Sessions only"


def _credit(version: str, tree: Json) -> Iterator[Breach]:
    if version != "2.1.1" and bool(tree.get("credit")) != bool(tree.get("credit_reference_id")):
        yield "/credit_reference_id: is given if, and only if, credit is true"


def _unique_roles(version: str, tree: Json) -> Iterator[Breach]:
    if version == "2.1.1":
        return
    triples = [(r["role"], r["country_code"].upper(), r["party_id"].upper()) for r in tree["roles"]]
    if len(set(triples)) != len(triples):
        yield "/roles: name a role of a party twice"


_RULES_OF: Mapping[str, tuple[Callable[[str, Json], Iterator[Breach]], ...]] = {
    "Location": (_changed_with_children, _publication, _hours),
    "EVSE": (_changed_with_children,),
    "Session": (_session_end,),
    "CDR": (_cdr_times, _cdr_dimensions, _credit),
    "Credentials": (_unique_roles,),
}
