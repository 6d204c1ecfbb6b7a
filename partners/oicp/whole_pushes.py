"""Pushes to us, as the hub, as they are read: a push is taken whole, or refused with the fields at fault (022).

Nobody looks at it after us, and EMPs take of us what their own schema lets them: so what OICP makes mandatory has to be
there, as OICP has it. What a record does without, and OICP has no form for (an unlisted word among listed ones, an
optional field that is too long), is left out of what EMPs get, and its operator is told so; of prices nothing is left
out, as they would be others then. Of what is deleted the id is enough.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any, Final, NamedTuple

import structlog

from hub.core.jsontypes import Tree
from partners.oicp.evse_amends import Amends, amended
from partners.oicp.face import Call
from partners.oicp.wire import REQUESTS, Finding, Message, Unfit, read
from partners.oicp.wire.evse_data import EvseDataRecordType
from partners.oicp.wire.evse_status import EvseStatusRecordType
from partners.oicp.wire.fitting import fit
from partners.oicp.wire.kinds import folded
from partners.oicp.wire.message import OTHER_NAMES
from partners.oicp.wire.pricing import EVSEPricingType, PricingProductDataRecordType

log = structlog.get_logger()

Path = tuple[str, ...]
"""The names that lead to the records of a push."""

_IN_A_THREAD: Final = 100
"""So many records are read beside the loop, which has others to serve."""
_MOST_FAULTS: Final = 20
_EVSES: Final = "PushEvseData"
_PRICES: Final = ("PushPricingProductData", "PushEVSEPricing")
_RECORDS: Final[Mapping[str, type[Message]]] = {
    _EVSES: EvseDataRecordType,
    "PushEvseStatus": EvseStatusRecordType,
    "PushPricingProductData": PricingProductDataRecordType,
    "PushEVSEPricing": EVSEPricingType,
}
"""Of what EMPs pull."""


class Push(NamedTuple):
    """What was pushed; `amends`, by the index of an EVSE: how EMPs are told of it where not as it came."""

    message: Mapping[str, Any]
    amends: Mapping[int, Amends]


async def understood(call: Call, path: Path) -> Push:
    """The push as it is read, in a thread where it is a large one. Raises: Unfit, naming what is wrong with it."""
    records = _at(call.message, path)
    if isinstance(records, list) and len(records) > _IN_A_THREAD:
        return await asyncio.to_thread(understood_whole, call, path)
    return understood_whole(call, path)


def understood_whole(call: Call, path: Path) -> Push:
    """The push as it is read; `path` leads to its records. Raises: Unfit."""
    name = call.operation.name
    found = read(REQUESTS[name], call.message)
    given, kept = _at(call.message, path), _at(found.tree, path)
    if kept is None:
        raise Unfit((Finding(f"/{'/'.join(path)}", "missing", is_dropped=True),))
    if isinstance(given, list) and len(kept) < sum(each is not None for each in given):
        dropped = (each for each in found.findings if each.is_dropped)
        raise Unfit(tuple(sorted(dropped, key=_is_lenient))[:_MOST_FAULTS])
    if not found.findings or name not in _RECORDS or found.tree["ActionType"] == "delete":
        return Push(found.tree, {})
    problems = [f"{finding.pointer}: {finding.problem}" for finding in found.findings[:5]]
    log.info("oicp push put right", partner=call.partner.name, operation=name, findings=problems)
    return _fitted(name, found.tree, path, _by_record(found.findings, path), _places(given))


def _fitted(name: str, tree: Tree, path: Path, findings: Mapping[int, list[Finding]], places: Sequence[int]) -> Push:
    """`findings`: of the records that are not OICP's to the letter, by their index in what came. Raises: Unfit."""
    records, prefix = list(_at(tree, path)), f"/{'/'.join(path)}"
    around = fit(REQUESTS[name], _with(tree, path, []))
    faults, amends = list(around.faults), dict[int, Amends]()
    for came_at, told in findings.items():
        if len(faults) >= _MOST_FAULTS:
            break
        at, pointer = places[came_at], f"{prefix}/{came_at}"
        unread = {each.pointer: each for each in told if each.is_dropped}
        if name == _EVSES:
            amends[at], wrong = amended(records[at], unread.values(), pointer)
        else:
            fitted = fit(_RECORDS[name], records[at], pointer)
            records[at] = fitted.tree
            wrong = (*fitted.faults, *(unread.values() if name in _PRICES else ()))
        faults += [unread.get(fault.pointer, fault) for fault in wrong]
    if faults:
        raise Unfit(tuple({fault.pointer: fault for fault in faults}.values())[:_MOST_FAULTS])
    return Push(_with(around.tree, path, records), {at: each for at, each in amends.items() if each})


def _by_record(findings: Sequence[Finding], path: Path) -> dict[int, list[Finding]]:
    """What was found in records, by their index."""
    pattern = re.compile(rf"(?:/[^/]*){{{len(path)}}}/(\d+)(?:/|$)")
    out: dict[int, list[Finding]] = {}
    for finding in findings:
        match = pattern.match(finding.pointer)
        if match is not None:
            out.setdefault(int(match[1]), []).append(finding)
    return out


def _places(given: Any) -> list[int]:
    """Of each record that came, its index among those that are none: nulls are no records."""
    came = given if isinstance(given, list) else [given]
    return [at - 1 for at in accumulate(each is not None for each in came)]


def _with(tree: Mapping[str, Any], path: Path, records: list[Any]) -> Tree:
    """`tree` with other records."""
    name, *rest = path
    return {**tree, name: _with(tree[name], tuple(rest), records) if rest else records}


def _at(tree: Any, path: Path) -> Any:
    """What stands there, in whatever spelling it is read."""
    for name in path:
        while isinstance(tree, list) and len(tree) == 1:
            tree = tree[0]
        if not isinstance(tree, Mapping):
            return None
        tree = tree[name] if not _says_nothing(tree.get(name)) else _otherwise_spelled(tree, name)
    return tree


def _otherwise_spelled(tree: Mapping[str, Any], name: str) -> Any:
    names = {folded(each) for each in (name, *OTHER_NAMES.get(name, ()))}
    return next((value for key, value in tree.items() if folded(key) in names and not _says_nothing(value)), None)


def _says_nothing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _is_lenient(fault: Finding) -> bool:
    """What a record cannot do without goes first."""
    return not fault.pointer.endswith(("EvseID", "EvseStatus", "ProductID"))
