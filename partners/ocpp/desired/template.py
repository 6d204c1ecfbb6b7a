"""A template: for chargers of which vendor, model and firmware, and what their configuration should be.

    {"vendor": "VendorX", "model": "M1*", "firmware": "2.*", "values": {"MeterValueSampleInterval": 60},
     "apply": "on_boot"}

Patterns are as those of file names, in any case. Names of values are keys of OCPP 1.6, or Component.Variable of 2.x.
With `apply: on_boot` a charger that differs is set right after it booted; `by_hand`, the default, only shows it.
Secrets have no place in one: everybody who may look at the hub can read it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final, NamedTuple

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp.variables import ACTUAL, is_secret

_PATTERNS: Final = ("vendor", "model", "firmware")
_FIELDS: Final = frozenset({*_PATTERNS, "values", "apply"})
_BY_HAND: Final = "by_hand"
_ON_BOOT: Final = "on_boot"
_BOOLEANS: Final = frozenset({"true", "false"})


class Drift(NamedTuple):
    """One value that is not as it should be. `actual`: None, when the charger has not told it."""

    name: str
    desired: str
    actual: str | None


class Template(NamedTuple):
    """See above."""

    patterns: Mapping[str, str]
    values: Mapping[str, str]
    on_boot: bool = False

    def tree(self) -> Tree:
        """As an operator writes it."""
        return {**self.patterns, "values": dict(self.values), "apply": _ON_BOOT if self.on_boot else _BY_HAND}

    @property
    def particularity(self) -> int:
        """How much its patterns say: characters that are no wildcards."""
        return sum(len(pattern.replace("*", "").replace("?", "")) for pattern in self.patterns.values())

    def fits(self, station: Tree) -> bool:
        """Is it for this charger, as a view shows it?"""
        return all(
            fnmatchcase(str(station.get(name) or "").casefold(), pattern.casefold())
            for name, pattern in self.patterns.items()
        )

    def drift(self, told: Sequence[Tree]) -> list[Drift]:
        """What is not as it should be, in the template's order. `told`: rows as of `/variables`."""
        return drift_of(self.values, told)


def drift_of(values: Mapping[str, str], told: Sequence[Tree]) -> list[Drift]:
    """What of `values` is not as it should be, in their order. `told`: rows as of `/variables`."""
    actual = {str(row["name"]).casefold(): row.get("values", {}).get(ACTUAL) for row in told}
    found = [Drift(name, desired, actual.get(name.casefold())) for name, desired in values.items()]
    return [each for each in found if not same(each.desired, each.actual)]


def parsed(tree: Tree) -> Template:
    """Raises: InvalidRequest."""
    unknown = sorted(set(tree) - _FIELDS)
    if unknown:
        raise InvalidRequest(f"/{unknown[0]}: is no field of a template ({', '.join(sorted(_FIELDS))})")
    patterns: dict[str, str] = {name: tree[name] for name in _PATTERNS if name in tree}
    for name, pattern in patterns.items():
        if not isinstance(pattern, str) or not pattern:
            raise InvalidRequest(f"/{name}: must be a pattern, as in Terra*")
    if not patterns.keys() & {"vendor", "model"}:
        raise InvalidRequest("/model: must say for which chargers it is, or /vendor; * is all of them")
    values = tree.get("values")
    if not isinstance(values, dict) or not values:
        raise InvalidRequest("/values: must be an object of names and values")
    apply = tree.get("apply", _BY_HAND)
    if apply not in (_BY_HAND, _ON_BOOT):
        raise InvalidRequest(f"/apply: is {_ON_BOOT} or {_BY_HAND}")
    return Template(patterns, {name: _text(name, value) for name, value in values.items()}, apply == _ON_BOOT)


def _text(name: str, value: Any) -> str:
    """A value as a charger writes it. Raises: InvalidRequest, without the value of a secret."""
    if is_secret(name.rpartition(".")[2].partition(":")[0].partition("[")[0]):
        raise InvalidRequest(f"/values/{name}: a secret has no place in a template")
    if ":" in name:
        raise InvalidRequest(f"/values/{name}: a template holds actual values")
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        raise InvalidRequest(f"/values/{name}: must be text, a whole number or a boolean")
    return str(value)


def same(desired: str, actual: str | None) -> bool:
    """Is a charger's value the one that is desired? Chargers write booleans in any case."""
    if actual is not None and desired.casefold() in _BOOLEANS:
        return actual.casefold() == desired.casefold()
    return actual == desired
