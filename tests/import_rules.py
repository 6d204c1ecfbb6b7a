"""Who may import whom: one function a rule, from a file to the lines that break it, with the reason."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Final

from tests.source_tree import Place, Source

Found = Iterator[tuple[int, str]]
"""Line number and reason."""

LAYERS: Final = ("hub.core", "modules", "partners", "hub")
"""From the bottom up. `hub` is the program: all of that folder but `hub/core`."""

PUBLIC_FILES: Final = frozenset({"model", "wire", "service"})
DECISIONS: Final[dict[str, frozenset[str]]] = {
    "credentials": frozenset({"claims", "told"}),
    "tokens": frozenset({"authorize", "aliases", "whose"}),
    "cdrs": frozenset({"build", "check"}),
    "sessions": frozenset({"charge", "costs", "matching", "whose"}),
    "locations": frozenset({"withheld"}),
    "commands": frozenset({"references", "reservations", "response_url", "results"}),
    "tariffs": frozenset({"former", "pricing", "lint", "sendable"}),
    "chargingprofiles": frozenset({"plan"}),
}
"""What a module publishes beside its public files: one decision, one file or folder."""

PLAIN: Final = frozenset(
    {"__future__", "collections", "dataclasses", "datetime", "decimal", "enum", "functools", "itertools"}
    | {"re", "types", "typing", "zoneinfo"}
)
"""Parts of the standard library that do nothing to the world."""

CLIENTS: Final = ("requests", "urllib.request", "urllib3", "http.client")
NETWORK: Final = ("aiohttp", "httpx", "websockets", "ocpp", *CLIENTS)


def layer(dotted: str) -> int | None:
    """The index in LAYERS, or None for a package of somebody else."""
    ranked = (rank for rank, name in enumerate(LAYERS) if dotted == name or dotted.startswith(f"{name}."))
    return next(ranked, None)


def arrows(source: Source) -> Found:
    """Rule 1: hub.core <- modules <- partners <- the program; and nobody imports a test or a measurement."""
    own = layer(".".join(source.parts))
    for found in source.imports:
        theirs = layer(found.target)
        if own is not None and theirs is not None and theirs > own:
            yield found.line, f"{LAYERS[own]} may not import {LAYERS[theirs]} ({found.target})"
        if found.is_within("tests", "bench"):
            yield found.line, f"the product may not import {found.target}"


def modules_meet_in_public(source: Source) -> Found:
    """Rule 3: a module uses another through its model, wire, service or published decision."""
    own = source.place
    if own is None or own == Place("", ""):
        return
    for found in source.imports:
        top, module, part = (*found.target.split("."), "", "")[:3]
        public = PUBLIC_FILES | DECISIONS.get(module, frozenset())
        if top == "modules" and module not in ("", own.module) and part and part not in public:
            yield found.line, f"{own.module} may not use {found.target}: it is not a public file of {module}"


def modules_reach_out_through_ports(source: Source) -> Found:
    """Rule 4: a module reaches a charger or a peer only through hub.core.ports."""
    if source.place is None:
        return
    for found in source.imports:
        if found.is_within(*NETWORK, "hub.core.outbound"):
            yield (
                found.line,
                f"a module may not reach the network by {found.target}: give hub/core/ports.py a port",
            )


def wire_is_a_table(source: Source) -> Found:
    """Rule 5: wire.py imports the dialect, the types, models and other wire files."""
    yield from _only(source, "wire", ("model", "wire"), ("hub.core.dialect", "hub.core.types", "hub.core.jsontypes"))


def model_is_only_a_model(source: Source) -> Found:
    """Rule 5: model.py imports pydantic, the types and other models."""
    yield from _only(source, "model", ("model",), ("pydantic", "hub.core.types", "hub.core.jsontypes"))


def _only(source: Source, part: str, parts: tuple[str, ...], packages: tuple[str, ...]) -> Found:
    own = source.place
    if own is None or own.part != part:
        return
    for found in source.imports:
        names = found.target.split(".")
        of_a_module = names[0] == "modules" and len(names) > 2 and names[2] in parts
        if not (of_a_module or names[0] in PLAIN or found.is_within(*packages)):
            yield found.line, f"{part}.py may not import {found.target}"


def stores_know_no_network(source: Source) -> Found:
    """Rule 7: what writes cannot wait for a peer, as it knows none."""
    if not source.is_store:
        return
    for found in source.imports:
        if found.is_within(*NETWORK, "hub.core.outbound", "hub.core.ports", "hub.core.relay"):
            yield found.line, f"a store may not know {found.target}"


def _only_in(source: Source, package: str, *places: str) -> Found:
    if not source.is_in(*places):
        for found in source.imports:
            if found.is_within(package):
                yield found.line, f"{package} belongs in {' '.join(places)}"


def jose_only_in_jwt(source: Source) -> Found:
    """DESIGN: hub/core/jwt.py is the only user of python-jose."""
    yield from _only_in(source, "jose", "hub/core/jwt.py")


def one_http_client(source: Source) -> Found:
    """hub/core/outbound is the only HTTP client that meets a partner; httpx is for what people run."""
    yield from _only_in(source, "aiohttp", "hub/core/outbound.py", "hub/core/address_guard.py")
    if not re.match(r"hub/(cli|demo)", source.path):
        yield from _only_in(source, "httpx", "partners/sandbox/", "partners/contract/", "hub/cli", "hub/demo")
    for found in source.imports:
        if found.is_within(*CLIENTS):
            yield found.line, f"{found.target} has no address guard: use hub.core.outbound"


def second_reading_stands_alone(source: Source) -> Found:
    """Beside the product: what judges the engine's receipts shares no line with it, but for what Python has."""
    if not source.is_in("tests/verifier/"):
        return
    for found in source.imports:
        top = found.target.partition(".")[0]
        if top not in {*sys.stdlib_module_names, "pytest"} and not found.is_within("tests.verifier"):
            yield found.line, f"the second reading of prices may not import {found.target}"
