"""What a case is priced with, made ready: tariffs of any version compiled, and the switches of a contract.

Tariffs come again and again, so those that were compiled are kept, by their content and up to a total size.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Final

from pydantic import TypeAdapter, ValidationError

from hub.control.parts import CaseFault
from hub.core.errors import InvalidRequest
from hub.core.inbound import encode, parse
from hub.core.jsontypes import Json, Tree
from modules.tariffs.pricing import Compiled, Policy, UnfitTariff, compile_tariff
from modules.tariffs.wire import TARIFF

_DECIMALS: Final = 12
_KEPT_BYTES: Final = 2 * 1024 * 1024
_KEPT_EACH: Final = 128 * 1024
_AT_LEAST: Final = 2048
"""What a tariff counts for besides its JSON: compiled, a short one is several times as large."""
_AS_A_TREE: Final = 4
"""How much larger a tree is than its JSON."""
_LONG_AGO: Final = "2015-01-01T00:00:00Z"
_SWITCHES_LIMIT: Final = 64 * 1024
_POLICY: Final = TypeAdapter(Policy)


@dataclass(frozen=True, slots=True)
class Ready:
    """A tariff in our form, and compiled."""

    tree: Tree
    compiled: Compiled

    @property
    def currency(self) -> str:
        currency: str = self.tree["currency"]
        return currency


class CompiledTariffs:
    """Tariffs made ready for pricing. The ones used longest ago are dropped when together they are too large."""

    def __init__(self, *, kept_bytes: int = _KEPT_BYTES) -> None:
        self._kept: OrderedDict[bytes, tuple[Ready, int]] = OrderedDict()
        self._bytes = 0
        self._kept_bytes = kept_bytes

    def all_of(self, trees: Sequence[Tree], version: str) -> list[Ready]:
        """Raises: UnfitTariff, naming the place of the tariff."""
        return [self._at(place, tree, version) for place, tree in enumerate(trees)]

    def _at(self, place: int, tree: Tree, version: str) -> Ready:
        try:
            return self.get(tree, version)
        except InvalidRequest as fault:
            raise UnfitTariff(f"/tariffs/{place}{fault.message}") from None
        except UnfitTariff as fault:
            raise UnfitTariff(f"/tariffs/{place}: {fault.message}") from None

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
            self._keep(key, ready, _AS_A_TREE * len(written) + _AT_LEAST)
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
    unsaid = version == "2.3.0" and tree.get("tax_included") is None
    if version == "2.1.1":
        read = TARIFF[version].read({"id": "T", "last_updated": _LONG_AGO, **tree}, given=owner)
    else:
        read = TARIFF[version].read({"id": "T", **owner, **tree, **({"tax_included": "NO"} if unsaid else {})})
    ours = read.tree()
    if unsaid:  # only to be read; the engine says what it takes that for
        del ours["tax_included"]
    return Ready(ours, compile_tariff(ours, version))


def policy_of(switches: Mapping[str, Json]) -> Policy:
    """The switches of a case over those of the engine; amounts have twelve places. Raises: CaseFault."""
    return _policy(encode(switches))


@lru_cache(maxsize=64)
def _policy(written: bytes) -> Policy:
    switches: Tree = parse(written, limit=_SWITCHES_LIMIT)
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
