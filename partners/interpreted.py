"""Partners that speak another protocol than OCPI: whoever interprets it answers in OCPI's words.

To the rest of the hub all partners are OCPI partners of the newest version. One whose `interpreter` is set has
endpoints of that scheme (`oicp:`), which no HTTP client knows; what is sent there goes to the interpreter in this
process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from hub.core.errors import EndpointsMissing, PeerFault, PeerTimeout, PeerUnreachable
from hub.core.operations import SENDER, Side
from hub.core.ports import PeerAnswer, Peers
from hub.core.registry import Partner


def _nobody_listens(name: str) -> None:
    """Where nobody asks who is there."""


class InterpretedPeers:
    """The port `Peers` over several protocols: OCPI itself, and what is interpreted."""

    def __init__(self, ocpi: Peers) -> None:
        self._ocpi = ocpi
        self._interpreters: dict[str, Peers] = {}
        self.answered: Callable[[str], None] = _nobody_listens
        """Called with the name of each interpreted partner that answered."""
        self.doubted: Callable[[str], None] = _nobody_listens
        """Called with the name of one that could not be reached, or did not answer in time."""

    def join(self, scheme: str, interpreter: Peers) -> None:
        """From now on `interpreter` speaks to the partners that name `scheme`."""
        self._interpreters[scheme] = interpreter

    async def send(
        self,
        partner: Partner,
        method: str,
        module: str,
        side: Side,
        path: tuple[str, ...] = (),
        *,
        body: bytes | None = None,
        query: Mapping[str, str] | None = None,
        to: str = "",
        sender: str = "",
        deadline_s: float | None = None,
    ) -> PeerAnswer:
        """See `hub.core.ports.Peers.send`."""
        if partner.interpreter and partner.endpoint(module, "SENDER" if side is SENDER else "RECEIVER") is None:
            raise EndpointsMissing(f"{partner.name} offers no {module} {side.value}")
        speaks = self._speaking(partner)
        try:
            answer = await speaks.send(
                *(partner, method, module, side, path),
                body=body,
                query=query,
                to=to,
                sender=sender,
                deadline_s=deadline_s,
            )
        except PeerFault as fault:
            self._noted(partner, fault)
            raise
        self._noted(partner, None)
        return answer

    async def get(self, partner: Partner, url: str, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.get`."""
        return await self._speaking(partner).get(partner, url, to=to, sender=sender)

    async def post_to(self, partner: Partner, url: str, body: bytes, *, to: str = "", sender: str = "") -> PeerAnswer:
        """See `hub.core.ports.Peers.post_to`."""
        return await self._speaking(partner).post_to(partner, url, body, to=to, sender=sender)

    def _speaking(self, partner: Partner) -> Peers:
        """Raises: PeerUnreachable, where nobody here speaks its protocol."""
        if not partner.interpreter:
            return self._ocpi
        interpreter = self._interpreters.get(partner.interpreter)
        if interpreter is None:
            raise PeerUnreachable(f"nobody here speaks {partner.interpreter}")
        return interpreter

    def _noted(self, partner: Partner, fault: PeerFault | None) -> None:
        """OCPI's own client takes note by itself, and knows more."""
        if partner.interpreter:
            (self.doubted if isinstance(fault, PeerTimeout | PeerUnreachable) else self.answered)(partner.name)
