"""DataTransfer: messages of vendors, each answered by the handler that somebody registered for its vendor.

    @handles("com.example")
    async def example(hub: Hub, live: Live, message: VendorMessage) -> VendorAnswer: ...

No vendor's messages are spoken by the product itself; who adds a handler imports its file where the gateway is made.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple

from hub.core.jsontypes import Json, Tree
from hub.core.ports import Hub
from partners.ocpp.live import Live


class VendorMessage(NamedTuple):
    """`data` is text in 1.6, and anything in 2.x."""

    vendor_id: str
    message_id: str
    data: Json


class VendorAnswer(NamedTuple):
    """What to answer; `data` as the version takes it."""

    status: Literal["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]
    data: Json = None


UNKNOWN: Final = VendorAnswer("UnknownVendorId")

Handler = Callable[[Hub, Live, VendorMessage], Awaitable[VendorAnswer]]
HANDLERS: Final[dict[str, Handler]] = {}
"""By vendor id, folded."""


def handles(vendor_id: str) -> Callable[[Handler], Handler]:
    """Declare the decorated function as the handler of a vendor's messages."""

    def declare(handler: Handler) -> Handler:
        HANDLERS[vendor_id.casefold()] = handler
        return handler

    return declare


async def answer(hub: Hub, live: Live, payload: Tree) -> Tree:
    """The CALLRESULT of a DataTransfer of any version."""
    vendor_id, message_id = (str(payload.get(name) or "") for name in ("vendorId", "messageId"))
    handler = HANDLERS.get(vendor_id.casefold())
    told = UNKNOWN
    if handler is not None:
        told = await handler(hub, live, VendorMessage(vendor_id, message_id, payload.get("data")))
    data = {"data": told.data} if told.data is not None else {}
    return {"status": told.status, **data}
