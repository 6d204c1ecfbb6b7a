"""Many cases priced one after the other, in constant memory: a line of JSON in, a line of JSON out.

A line is read only up to a limit; what cannot be priced becomes a result that says why, and the next line is read.
Tariffs come again and again, so those that were compiled are kept, by their content and up to a total size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import BinaryIO, Final

from pydantic import TypeAdapter, ValidationError

from hub.control.case import Asked, CaseFault, name_of, read_case
from hub.control.result import check, failure, success
from hub.core.errors import InvalidRequest, TooLarge, Unreadable
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from hub.core.types import moment_text
from modules.cdrs.build.timeline import cut
from modules.tariffs.pricing import (
    Case,
    Compiled,
    NoTariffInForce,
    Policy,
    Priced,
    PricingFault,
    UnfitSession,
    UnfitTariff,
    UnknownTariff,
    compile_tariff,
    instant,
    moment_of,
    price,
    receipt_of,
)
from modules.tariffs.wire import TARIFF

LINE_LIMIT: Final = 4 * 1024 * 1024
"""Bytes of one case."""
TOLERANCE: Final = Decimal("0.01")
CODES: Final[Mapping[type[PricingFault], str]] = {
    UnknownTariff: "unknown_tariff",
    NoTariffInForce: "no_tariff_in_force",
    UnfitTariff: "unfit_tariff",
    UnfitSession: "unfit_session",
}
_DECIMALS: Final = 12
_KEPT_BYTES: Final = 2 * 1024 * 1024
_KEPT_EACH: Final = 128 * 1024
_AT_LEAST: Final = 2048
"""What a tariff counts for besides its JSON: compiled, a short one is several times as large."""
_LONG_AGO: Final = "2015-01-01T00:00:00Z"
_POLICY: Final = TypeAdapter(Policy)


@dataclass(frozen=True, slots=True)
class Ready:
    """A compiled tariff, and its currency."""

    compiled: Compiled
    currency: str


class CompiledTariffs:
    """Tariffs made ready for pricing. The ones used longest ago are dropped when together they are too large."""

    def __init__(self, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept: OrderedDict[bytes, tuple[Ready, int]] = OrderedDict()
        self._bytes = 0
        self._kept_bytes = kept_bytes

    def get(self, tree: Tree, version: str) -> Ready:
        """Raises: InvalidRequest, UnfitTariff."""
        written = encode(tree)
        key = blake2b(version.encode() + written, digest_size=16).digest()
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known[0]
        ready = _made_ready(tree, version)
        if len(written) <= _KEPT_EACH:
            self._keep(key, ready, len(written) + _AT_LEAST)
        return ready

    def _keep(self, key: bytes, ready: Ready, size: int) -> None:
        self._kept[key] = (ready, size)
        self._bytes += size
        while self._bytes > self._kept_bytes:
            _, (_, freed) = self._kept.popitem(last=False)
            self._bytes -= freed


def _made_ready(tree: Tree, version: str) -> Ready:
    """What a tariff need not say to be priced may be left out, as in a CDR."""
    owner = {"country_code": "XX", "party_id": "XXX", "last_updated": _LONG_AGO}
    if version == "2.1.1":
        read = TARIFF[version].read({"id": "T", "last_updated": _LONG_AGO, **tree}, given=owner)
    else:
        read = TARIFF[version].read(
            {"id": "T", **owner, **({"tax_included": "NO"} if version == "2.3.0" else {}), **tree}
        )
    ours = read.tree()
    return Ready(compile_tariff(ours, version), ours["currency"])


class Pricer:
    """Prices cases. `tolerance`: by how much a figure may be off; `receipts`: put them into the results."""

    def __init__(self, *, tolerance: Decimal = TOLERANCE, receipts: bool = True) -> None:
        self._tolerance = tolerance
        self._receipts = receipts
        self._tariffs = CompiledTariffs()

    def of_line(self, line: bytes | None) -> Tree:
        """The result of one line; None stands for one that was too long. Raises nothing."""
        if line is None:
            return failure(None, "too_large", f"the line is longer than {LINE_LIMIT} bytes")
        try:
            tree = parse(line, limit=LINE_LIMIT)
        except TooLarge as fault:
            return failure(None, "too_large", fault.message)
        except Unreadable as fault:
            return failure(None, "not_json", fault.message)
        return self.of_tree(tree)

    def of_tree(self, tree: Json) -> Tree:
        """The result of one case. Raises nothing."""
        try:
            return self._priced(read_case(tree))
        except CaseFault as fault:
            return failure(name_of(tree), fault.code, fault.message)
        except PricingFault as fault:
            return failure(name_of(tree), CODES.get(type(fault), "cannot_be_priced"), fault.message)
        except Exception as error:  # a defect of ours must not take the other lines along
            return failure(name_of(tree), "internal_error", f"this is our fault: {type(error).__name__}")

    def _priced(self, asked: Asked) -> Tree:
        ready = [self._tariff(tree, asked.version, at) for at, tree in enumerate(asked.tariffs)]
        policy = policy_of(asked.policy)
        case, boundaries = _case(asked, [each.compiled for each in ready])
        priced = price(case, policy)
        result = success(asked.name, priced, boundaries)
        compared = check(asked, result, self._tolerance)
        if compared is not None:
            result["check"] = compared
        if self._receipts:
            result["receipt"] = receipt_of(priced, currency=_currency(asked, ready, priced))
        return result

    def _tariff(self, tree: Tree, version: str, at: int) -> Ready:
        try:
            return self._tariffs.get(tree, version)
        except InvalidRequest as fault:
            raise UnfitTariff(f"/tariffs/{at}{fault.message}") from None
        except UnfitTariff as fault:
            raise UnfitTariff(f"/tariffs/{at}: {fault.message}") from None


def _case(asked: Asked, tariffs: list[Compiled]) -> tuple[Case, list[str]]:
    """What the engine takes, and where a timeline was cut."""
    if asked.timeline is None:
        case = Case(
            asked.version, asked.zone, tariffs, asked.start, asked.end, asked.periods, reservation_expired=asked.expired
        )
        return case, []
    pieces = cut(asked.timeline, tariffs, asked.zone, expired=asked.expired)
    starts = [period["start_date_time"] for period in pieces.periods]
    boundaries = [moment_text(moment_of(instant(start, "a period"))) for start in starts[1:]]
    case = Case(
        asked.version,
        asked.zone,
        [pieces.tariff],
        asked.start,
        asked.end,
        pieces.periods,
        reservation_expired=asked.expired,
    )
    return case, boundaries


def _currency(asked: Asked, ready: list[Ready], priced: Priced) -> str | None:
    """That of the CDR if it states one, else of the first tariff that priced anything."""
    stated = asked.cdr.get("currency")
    if isinstance(stated, str):
        return stated[:3]
    used = next((segment.tariff for segment in priced.segments if segment.tariff), None)
    return next((each.currency for each in ready if each.compiled is used), ready[0].currency)


def policy_of(switches: Mapping[str, Json]) -> Policy:
    """The switches of a case over those of the engine; amounts have twelve places. Raises: CaseFault."""
    return _policy(encode(switches))


@lru_cache(maxsize=64)
def _policy(written: bytes) -> Policy:
    switches: Tree = parse(written, limit=LINE_LIMIT)
    for name in switches:
        if name not in Policy.__dataclass_fields__:
            raise CaseFault(f"/policy: {name[:40]} is no switch")
    try:
        policy = _POLICY.validate_json(encode({"decimals": _DECIMALS, **switches}), strict=True)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        raise CaseFault(f"/policy/{'/'.join(map(str, first['loc']))}: {first['msg']}") from None
    if not 0 <= policy.decimals <= _DECIMALS:
        raise CaseFault(f"/policy/decimals: is not between 0 and {_DECIMALS}")
    return policy


def lines_of(stream: BinaryIO, *, limit: int = LINE_LIMIT) -> Iterator[bytes | None]:
    """The lines of `stream` that are not blank, never more than `limit` bytes of one; None for a longer one."""
    while line := stream.readline(limit + 1):
        if len(line) > limit and not line.endswith(b"\n"):
            while (more := stream.readline(limit)) and not more.endswith(b"\n"):
                pass
            yield None
        elif not line.isspace():
            yield line.rstrip(b"\r\n")
