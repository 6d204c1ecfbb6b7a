"""A roaming partner that has chargers: a CPO of OICP 2.3.

async with Cpo("DE*ABC", papers, hub="https://127.0.0.1:9300/api/oicp") as cpo:
    await cpo.grounds.push("fullLoad", [{"EvseID": "DE*ABC*E1"}])
    charge = await cpo.tap("04A1B2C3", "DE*ABC*E1")
    await cpo.charges.whole(charge, kwh=12)
    assert cpo.complaints.texts() == []
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from partners.sandbox.oicp.call import Refused
from partners.sandbox.oicp.charges import Charge, Charges
from partners.sandbox.oicp.cpo_counter import CpoCounter
from partners.sandbox.oicp.ends import End
from partners.sandbox.oicp.grounds import Grounds
from partners.sandbox.oicp.line import Answer
from partners.sandbox.oicp.papers import Papers
from partners.sandbox.oicp.partner import Actions
from partners.sandbox.oicp.wire import given
from partners.sandbox.wire import Json


class Cpo(End):
    """One CPO: `grounds` are its EVSEs, `charges` what happens there, `counter` answers."""

    def __init__(self, party: str, papers: Papers, **rest: Any) -> None:
        super().__init__(party, papers, **rest)
        self.grounds = Grounds(self)
        self.charges = Charges(self)
        self.counter = CpoCounter(self)
        self._furnish(self.counter.handlers(), self._actions())

    async def authorize(self, identification: Json, evse_id: str | None = None, **fields: Json) -> Answer:
        """eRoamingAuthorizeStart: may they charge?"""
        tree = given({"OperatorID": self.party, "EvseID": evse_id, "Identification": identification, **fields})
        return await self.ask("AuthorizeStart", tree)

    async def tap(self, uid: str, evse_id: str, *, product: str | None = None) -> Charge:
        """A card is shown at an EVSE. Raises: Refused, with the status code."""
        identification = {"RFIDMifareFamilyIdentification": {"UID": uid}}
        answer = await self.authorize(identification, evse_id, PartnerProductID=product)
        if not answer.is_yes:
            raise Refused(answer.code)
        named = ("SessionID", "CPOPartnerSessionID", "EMPPartnerSessionID")
        ids = given({name: answer.tree.get(name) for name in named})
        return self.charges.keep(Charge(ids, evse_id, identification, product=product))

    async def authorize_stop(self, session: str, identification: Json | None = None) -> Answer:
        """eRoamingAuthorizeStop, by who began if nobody else is said. Raises: KeyError."""
        charge = self.charges.all[session]
        shown = {"EvseID": charge.evse_id, "Identification": identification or charge.identification}
        return await self.ask("AuthorizeStop", {"SessionID": session, "OperatorID": self.party, **shown})

    def state(self) -> dict[str, Json]:
        """For testers."""
        return super().state() | {
            "evses": self.grounds.records(),
            "statuses": self.grounds.statuses(),
            "charges": self.charges.listed(),
            "manners": asdict(self.counter.manners),
        }

    def _actions(self) -> Actions:
        return [
            ("POST", "evses", self._push),
            ("POST", "statuses", self._push_status),
            ("POST", "prices", self._push_prices),
            ("POST", "evse-prices", self._push_evse_prices),
            ("POST", "authorize", self._authorize),
            ("POST", "authorize-stop", self._authorize_stop),
            ("POST", "charge", self._charge),
            ("POST", "notify", self._notify),
            ("POST", "record", self._record),
            ("PUT", "manners", self._settle),
        ]

    async def _push(self, body: Json) -> Json:
        """`{action?, evses?, push?}`: `{"EvseID": ...}` is enough for one; with `"push": false` nobody is told."""
        if not body.get("push", True):
            self.grounds.add(*body["evses"])
            return {"evses": len(self.grounds.records())}
        return (await self.grounds.push(body.get("action", "fullLoad"), body.get("evses"))).shown()

    async def _push_status(self, body: Json) -> Json:
        """`{action?, statuses?: {<EvseID>: <status>}}`"""
        return (await self.grounds.push_status(body.get("action", "fullLoad"), body.get("statuses"))).shown()

    async def _push_prices(self, body: Json) -> Json:
        """`{prices, action?}`: a PricingProductData, or as much of one as matters."""
        return (await self.grounds.push_prices(body["prices"], action=body.get("action", "fullLoad"))).shown()

    async def _push_evse_prices(self, body: Json) -> Json:
        """`{products: {<EvseID>: [<ProductID>]}, action?}`"""
        return (await self.grounds.push_evse_prices(body["products"], action=body.get("action", "fullLoad"))).shown()

    async def _authorize(self, body: Json) -> Json:
        """`{uid, evse, product?}` is a tap that leads to a charge, `{identification, evse?}` a mere question."""
        if "identification" in body:
            return (await self.authorize(body["identification"], body.get("evse"))).shown()
        try:
            charge = await self.tap(body["uid"], body["evse"], product=body.get("product"))
        except Refused as refused:
            return {"code": refused.code}
        return {"code": "000", "session": charge.session}

    async def _authorize_stop(self, body: Json) -> Json:
        """`{session, identification?}`"""
        return (await self.authorize_stop(**body)).shown()

    async def _charge(self, body: Json) -> Json:
        """`{session, kwh?, minutes?, progress?}`: the whole of a charge that was allowed."""
        charge = self.charges.all[body.pop("session")]
        return (await self.charges.whole(charge, **body)).shown()

    async def _notify(self, body: Json) -> Json:
        """`{session, kind, share?, ...fields}`"""
        charge, kind = self.charges.all[body.pop("session")], body.pop("kind")
        return (await self.charges.notify(charge, kind, **body)).shown()

    async def _record(self, body: Json) -> Json:
        """`{session, kwh?, minutes?, ...fields}`: the CDR, again or with other content if it is said so."""
        charge = self.charges.all[body.pop("session")]
        if "kwh" in body or "minutes" in body:
            charge.lasts(minutes=body.pop("minutes", charge.minutes), kwh=body.pop("kwh", charge.kwh))
        return (await self.charges.record(charge, **body)).shown()

    async def _settle(self, body: Json) -> Json:
        """`{code?, delay?, charges?, ends?, minutes?, kwh?}`: what becomes of orders from now on."""
        self.counter.manners = replace(self.counter.manners, **body)
        return asdict(self.counter.manners)
