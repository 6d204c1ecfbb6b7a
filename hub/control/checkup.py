"""What is wrong or weak about an installation: settings, database, stations, money, ports, certificate, clock.

Changes nothing.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Final, Literal, NamedTuple
from urllib.parse import urlsplit

from hub.control.missing_tariffs import Missing, missing_everywhere
from hub.control.operators import LEAST_CHARACTERS
from hub.control.token_file import token_file
from hub.core.errors import BusbarError
from hub.core.jsontypes import Tree
from hub.core.settings import Settings
from hub.core.store import DatabaseRefused, open_store
from modules.cdrs.store import how_many_are_held, how_many_are_nobodys
from modules.sessions.charge import how_many_held
from partners.ocpp import unplaced
from partners.ocpp.register import without_password

Level = Literal["ok", "weak", "fail"]

_TIMEOUT_S: Final = 5.0
_CERTIFICATE_DAYS: Final = 21
_NAMED: Final = 10
_WIDE: Final = 16
"""A network of a shorter prefix is more than one site has."""
_CLOCK_UNSYNCHRONIZED: Final = 5
_TIMEX_BYTES: Final = 512


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen, and what to do about it."""

    level: Level
    check: str
    finding: str
    advice: str = ""

    def tree(self) -> Tree:
        return {"level": self.level, "check": self.check, "finding": self.finding, "advice": self.advice}


def examine(settings: Settings, *, dev_beside: bool = False) -> list[Finding]:
    """All checks, each of which looks at one thing. `dev_beside`: the hub that runs here was started with --dev."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        _exposure, _secrets, _networks, _database, _ports, _certificate, _clock,
    )  # fmt: skip
    return [_mode(settings, dev_beside), *(finding for check in checks for finding in check(settings))]


def _mode(settings: Settings, dev_beside: bool) -> Finding:
    if settings.dev or dev_beside:
        whose = "" if settings.dev else "the hub that runs here was started with --dev, so "
        return Finding("weak", "mode", f"development: {whose}partners on this machine are let in", "leave --dev out")
    return Finding("ok", "mode", "production")


def _exposure(settings: Settings) -> Iterator[Finding]:
    url = settings.public_url
    if not url:
        advice = "set BUSBAR_PUBLIC_URL to the https address of the proxy in front"
        yield Finding("weak", "public URL", f"partners are told {settings.base_url}", advice)
    elif url.startswith("http://"):
        yield Finding("weak", "public URL", "partners' tokens travel unencrypted", "put a proxy with TLS in front")
    else:
        yield Finding("ok", "public URL", url)
    if not _is_loopback(settings.host):
        advice = "bind to 127.0.0.1 behind a proxy, unless a firewall or container stands around it"
        yield Finding("weak", "address", f"the ports are open on {settings.host} without TLS", advice)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secrets(settings: Settings) -> Iterator[Finding]:
    if settings.operator_token is not None:
        length = len(settings.operator_token.get_secret_value())
        if length < LEAST_CHARACTERS:
            level: Level = "weak" if settings.dev else "fail"
            yield Finding(level, "operator token", f"{length} characters can be guessed", "take 32 or more, random")
    if settings.secret_key is None and not settings.database_url.startswith("sqlite:///"):
        yield Finding("fail", "secret key", "is not set", "set BUSBAR_SECRET_KEY to 32 or more random characters")
    if settings.secret_key is None and settings.database_url.startswith("sqlite:///"):
        key = Path(settings.database_url.removeprefix("sqlite:///") + ".key")
        keep = "keep a copy elsewhere, without it all partners must register again"
        yield from _file_of_ours(key, "secret key", keep)
    kept = token_file(settings.database_url)
    if kept is not None and kept.exists():
        yield from _file_of_ours(kept, "operator token", "`busbar` on this machine finds it there")


def _file_of_ours(path: Path, check: str, words: str) -> Iterator[Finding]:
    if not path.exists():
        yield Finding("ok", check, f"{path} will be made at the first start")
    elif path.stat().st_mode & 0o077:
        yield Finding("fail", check, f"{path} can be read by others", f"chmod 600 {path}")
    else:
        yield Finding("ok", check, f"in {path}; {words}")


def _networks(settings: Settings) -> Iterator[Finding]:
    for text in settings.allow_networks:
        try:
            network = ip_network(text, strict=False)
        except ValueError:
            yield Finding("fail", "allowed networks", f"{text} is no network", "write it as in 10.1.0.0/16")
            continue
        if network.prefixlen < _WIDE:
            yield Finding("weak", "allowed networks", f"{text} is very wide", "name only the partners' networks")


def _database(settings: Settings) -> Iterator[Finding]:
    if settings.database_url.startswith("sqlite:///"):
        path = Path(settings.database_url.removeprefix("sqlite:///"))
        if not path.exists():
            parent = path.parent
            if parent.is_dir() and os.access(parent, os.W_OK):
                yield Finding("ok", "database", f"{path} will be made at the first start")
            else:
                yield Finding("fail", "database", f"{parent} cannot be written to", "make it, or give access to it")
            return
        for file in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
            if file.exists() and file.stat().st_mode & 0o077:
                yield Finding("weak", "database", f"{file} can be read by others", f"chmod 600 {file}")
    try:
        seen = asyncio.run(_seen(settings))
    except (DatabaseRefused, BusbarError, OSError) as error:
        yield Finding("fail", "database", str(error), "")
    else:
        yield Finding("ok", "database", "opens, has the schema of this program, and keeps what it acknowledges")
        yield _of_stations(seen.open_stations)
        yield _of_bills(seen.held)
        yield from _of_cdrs(seen.nobodys, seen.held_cdrs)
        yield _of_tariffs(seen.missing)


def _of_stations(without_password: Sequence[str]) -> Finding:
    if not without_password:
        return Finding("ok", "stations", "none of security profile 0")
    named = ", ".join(without_password[:_NAMED]) + (", ..." if without_password[_NAMED:] else "")
    words = f"{len(without_password)} of security profile 0, in plain and without a password: {named}"
    advice = "anybody can call as one of these: `busbar station add ID --security-profile 2` (or 1, without TLS)"
    return Finding("weak", "stations", words, advice)


def _of_bills(held: int) -> Finding:
    if not held:
        return Finding("ok", "bills", "none is held")
    advice = "`busbar transaction list --held` names them; then release, correct or drop each"
    return Finding("weak", "bills", f"{held} held: these charges are not billed", advice)


def _of_cdrs(nobodys: int, held: int) -> Iterator[Finding]:
    if held:
        advice = (
            "`busbar cdr list --held` says why each is; `busbar cdr release` passes one on, whatever it is held for"
        )
        yield Finding(
            "weak", "CDRs", f"{held} of other CPOs are held: their drivers' eMSPs have not heard of them", advice
        )
    if nobodys:
        advice = "`busbar cdr list --withheld` names each and the rule; they go out when it no longer holds"
        yield Finding("weak", "CDRs", f"{nobodys} reach nobody: withheld, or of drivers of nobody here", advice)
    if not held and not nobodys:
        yield Finding("ok", "CDRs", "all of other CPOs are for somebody, and none is held")


def _of_tariffs(missing: Sequence[Missing]) -> Finding:
    if not missing:
        return Finding("ok", "tariffs", "all that our connectors name are here")
    more = f"; and {len(missing) - 1} more like it" if missing[1:] else ""
    advice = "`busbar tariff add` it, or `busbar location add` with another"
    return Finding("weak", "tariffs", f"{missing[0].words()}{more}", advice)


class _Seen(NamedTuple):
    """What is weak about stations and bills.

    How many bills are held, how many CDRs are for nobody yet, or held by their check, which tariffs our connectors
    miss, and which stations log in without a password.
    """

    held: int
    nobodys: int
    held_cdrs: int
    missing: list[Missing]
    open_stations: list[str]


async def _seen(settings: Settings) -> _Seen:
    """What the database says of money and of stations.

    Read-only: beside a hub that runs, and without touching anything.

    Raises: DatabaseRefused, NotReady.
    """
    from hub.app import kinds

    async with asyncio.timeout(4 * _TIMEOUT_S):
        store = await open_store(settings.database_url, kinds(), read_only=True)
        try:
            held = await how_many_held(store) + await unplaced.how_many(store)
            missing = await missing_everywhere(store, settings.party)
            nobodys, held_cdrs = await how_many_are_nobodys(store), await how_many_are_held(store)
            return _Seen(held, nobodys, held_cdrs, missing, await without_password(store))
        finally:
            await store.close()


def _ports(settings: Settings) -> Iterator[Finding]:
    for word, port in (("port", settings.port), ("OCPP port", settings.ocpp_port)):
        if port == 0:
            yield Finding("ok", word, "any free one")
        elif _answers(settings.host, port):
            yield Finding("weak", word, f"{port} is in use", "that is right when the hub runs; else take another")
        else:
            yield Finding("ok", word, f"{port} is free")


def _answers(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def _certificate(settings: Settings) -> Iterator[Finding]:
    parts = urlsplit(settings.public_url)
    if parts.scheme != "https" or parts.hostname is None:
        return
    try:
        ends = _certificate_ends(parts.hostname, parts.port or 443)
    except (OSError, ValueError) as error:
        yield Finding("weak", "certificate", f"of {parts.hostname} could not be checked: {error}", "")
        return
    days = (ends - datetime.now(UTC)).days
    level: Level = "ok" if days >= _CERTIFICATE_DAYS else "weak"
    yield Finding(level, "certificate", f"of {parts.hostname} ends in {days} days", "" if level == "ok" else "renew it")


def _certificate_ends(host: str, port: int) -> datetime:
    """Raises: OSError (also when it is not valid), ValueError."""
    context = ssl.create_default_context()
    with (
        socket.create_connection((host, port), timeout=_TIMEOUT_S) as plain,
        context.wrap_socket(plain, server_hostname=host) as secured,
    ):
        certificate = secured.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)


def _clock(_: Settings) -> Iterator[Finding]:
    """The kernel knows whether a time service disciplines it (adjtimex)."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        state = -1
    if state == _CLOCK_UNSYNCHRONIZED:
        yield Finding("weak", "clock", "is not synchronised", "run a time service: bills and tokens rest on the time")
    elif state < 0:
        yield Finding("weak", "clock", "could not be checked", "make sure that a time service runs")
    else:
        yield Finding("ok", "clock", "is synchronised")
