"""Kinds, and short ways to write units."""

from __future__ import annotations

from hub.core.units import ANY, Change, Delete, Kind, Over, Put, Unit

TOKEN = Kind("token", ("uid", "group"), ("uid",))
SESSION = Kind("session", ("status",))
KINDS = (TOKEN, SESSION)


def token(
    key: str, body: bytes = b"{}", *, expect: int = ANY, over: Over | None = None, uid: str = "", **common: str
) -> Put:
    return Put(TOKEN, key, body, columns=(uid, ""), expect=expect, over=over, **common)


def session(key: str, body: bytes = b"{}", *, expect: int = ANY, status: str = "ACTIVE", **common: str) -> Put:
    return Put(SESSION, key, body, columns=(status,), expect=expect, over=None, **common)


def unit(*writes: Put | Delete) -> Unit:
    """The writes, and one change for each."""
    return Unit(writes=list(writes), changes=[Change(write.kind.name, write.key) for write in writes])
