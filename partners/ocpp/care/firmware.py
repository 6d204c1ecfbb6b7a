"""Firmware that stations may be given: its name, its model, and its file, which must be what was said."""

from __future__ import annotations

import re
from collections.abc import AsyncIterable
from typing import Annotated, Final, Literal

import msgspec
from msgspec.structs import replace

from hub.core.clock import timestamp
from hub.core.errors import Conflict, InvalidRequest, NotFound, RegistrationState
from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.units import ABSENT, Audit, Delete, Kind, Put, Unit
from partners.ocpp.care.shelf import Shelf

FIRMWARE: Final = Kind("care_firmware")
MOST: Final = 1_000
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=50)]


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an operator says of a firmware. `sha256`: of the file, in hexadecimal digits.

    `signature` (base64) and `certificate` (PEM) are the maker's, for stations that verify firmware.
    """

    model: Words
    version: Words
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    signature: Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/=]{0,800}$")] = ""
    certificate: Annotated[str, msgspec.Meta(max_length=5500)] = ""


class Firmware(msgspec.Struct, frozen=True):
    """A firmware on record; without `file` its bytes have not come yet."""

    name: str
    model: str
    version: str
    sha256: str
    signature: str = ""
    certificate: str = ""
    size: int = 0
    file: str = ""
    added: str = ""

    @property
    def is_signed(self) -> bool:
        return bool(self.signature and self.certificate)

    def shown(self) -> Tree:
        """For the operator: without where the file lies."""
        tree: Tree = msgspec.to_builtins(replace(self, file=""))
        state: Literal["ready", "waits for its file"] = "ready" if self.file else "waits for its file"
        return {**{name: value for name, value in tree.items() if name != "file"}, "state": state}


async def put(hub: Hub, name: str, tree: Tree, *, actor: str) -> Firmware:
    """Describe a firmware; its file follows. The same words again change nothing.

    Raises: InvalidRequest; RegistrationState, when the name stands for another one.
    """
    if not _NAME.fullmatch(name):
        raise InvalidRequest("a firmware's name has letters, digits, `.`, `_` and `-`, at most 64")
    try:
        asked = msgspec.convert(tree, Asked)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"not a firmware: {error}") from None
    if bool(asked.signature) != bool(asked.certificate):
        raise InvalidRequest("/signature: a signature and the certificate it is verified with go together")
    fresh = Firmware(name, **msgspec.structs.asdict(asked), added=timestamp(hub.clock.now()))
    known = await hub.store.get(FIRMWARE, name)
    if known is not None:
        before = _in(known.body)
        if replace(before, size=0, file="", added=fresh.added) != fresh:
            raise RegistrationState(f"{name} is another firmware already; delete it, or take another name")
        return before
    if len(await hub.store.select(FIRMWARE, limit=MOST)) >= MOST:
        raise InvalidRequest(f"there are {MOST} firmwares already; delete some")
    audit = Audit(actor, "firmware.put", name, f"{fresh.model} {fresh.version}")
    await hub.store.commit(Unit().put(_put(fresh, ABSENT)).audited(audit))
    return fresh


async def put_file(hub: Hub, name: str, parts: AsyncIterable[bytes], *, actor: str) -> Firmware:
    """The bytes of a firmware. Raises: NotFound; TooLarge; InvalidRequest, when they are not those of its sha256."""
    await get(hub, name)
    shelf = Shelf.of(hub.settings)
    kept = await shelf.keep(parts, most=hub.settings.firmware_bytes)
    try:
        document = await hub.store.get(FIRMWARE, name)
        if document is None:
            raise NotFound("there is no such firmware")
        known = _in(document.body)
        if kept.sha256 != known.sha256:
            raise InvalidRequest("the file has another sha256 than was said")
        if known.file:
            await shelf.drop(kept.name)
            return known
        fresh = replace(known, size=kept.size, file=kept.name)
        audit = Audit(actor, "firmware.file", name, f"{kept.size} bytes")
        await hub.store.commit(Unit().put(_put(fresh, document.version)).audited(audit))
    except (NotFound, InvalidRequest, Conflict):
        await shelf.drop(kept.name)
        raise
    return fresh


async def get(hub: Hub, name: str) -> Firmware:
    """Raises: NotFound."""
    document = await hub.store.get(FIRMWARE, name)
    if document is None:
        raise NotFound("there is no such firmware")
    return _in(document.body)


async def ready(hub: Hub, name: str) -> Firmware:
    """One that can be fetched. Raises: NotFound, InvalidRequest."""
    firmware = await get(hub, name)
    if not firmware.file:
        raise InvalidRequest(f"the file of {name} has not come yet")
    return firmware


async def listed(hub: Hub) -> list[Firmware]:
    """All, the oldest first."""
    return [_in(document.body) for document in await hub.store.select(FIRMWARE, limit=MOST)]


async def delete(hub: Hub, name: str, *, actor: str) -> None:
    """Forget a firmware; links to it lead nowhere from now on. Raises: NotFound."""
    firmware = await get(hub, name)
    await hub.store.commit(Unit().delete(Delete(FIRMWARE, name)).audited(Audit(actor, "firmware.delete", name)))
    if firmware.file:
        await Shelf.of(hub.settings).drop(firmware.file)


def _in(body: bytes) -> Firmware:
    return msgspec.json.decode(body, type=Firmware)


def _put(firmware: Firmware, expect: int) -> Put:
    return Put(FIRMWARE, firmware.name, msgspec.json.encode(firmware), expect=expect)
