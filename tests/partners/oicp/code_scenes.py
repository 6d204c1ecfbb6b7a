"""How each StatusCode comes about: by operation a plain message that is served, by code what is to be different."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from hub.core.agreements import Agreement
from hub.core.errors import NotReady
from hub.core.parties import Party
from modules.tokens import service as tokens
from modules.tokens.wire import TOKEN
from partners.oicp.ledger import OicpSession, new_session_id
from partners.oicp.operations import OPERATIONS
from partners.sandbox.oicp.samples import evse, prices, product
from tests.partners.oicp.between import Between
from tests.partners.oicp.codes import OF_CPO, OF_EMP
from tests.partners.oicp.gate import Said
from tests.world import stored_token

Tree = dict[str, Any]

EVSE: Final = "DE*ABC*E1"
DRIVER: Final = {"RemoteIdentification": {"EvcoID": "DE-DCB-C00000001-6"}}
CAR: Final = {"PlugAndChargeIdentification": {"EvcoID": "DE-DCB-C00000001-6"}}
CARD: Final = "0102030405060708090A"
FOREIGN: Final = {"cpo": "DE*ZZZ", "emp": "DE-ZZZ"}
ASKER: Final = {"cpo": "cpo", "emp": "emp"}
NOBODY: Final = "https://127.0.0.1:1/nobody"
ORDERS: Final = (
    *("AuthorizeRemoteStart", "AuthorizeRemoteStop"),
    *("AuthorizeRemoteReservationStart", "AuthorizeRemoteReservationStop"),
)
STOPS: Final = {"AuthorizeRemoteStop": "remote", "AuthorizeRemoteReservationStop": "reservation"}


def card(uid: str) -> Tree:
    return {"RFIDMifareFamilyIdentification": {"UID": uid}}


def no(code: str) -> Tree:
    """A partner's refusal of whatever."""
    return {"Result": False, "AuthorizationStatus": "NotAuthorized", "StatusCode": {"Code": code}}


def data(*evse_ids: str) -> Tree:
    records = [evse({"EvseID": each}) for each in evse_ids]
    return {"OperatorID": "DE*ABC", "OperatorName": "Abc", "EvseDataRecord": records}


async def row(between: Between, origin: str = "start", **fields: Any) -> OicpSession:
    """A session of the EMP's driver at the CPO's EVSE, allowed a moment ago."""
    session_id = new_session_id()
    usual: Tree = {
        "cpo": "cpo",
        "cpo_party": "DE*ABC",
        "emp": "emp",
        "emp_party": "DE*DCB",
        "provider_id": "DE-DCB",
        "evse_id": EVSE,
        "identification": CAR if origin == "start" else DRIVER,
        "token": {**stored_token("DE*DCB", "DE-DCB-C00000001-6"), "type": "APP_USER"},
        "reference": session_id,
        "opened": between.world.clock.now(),
        "origin": origin,
        "reservation": f"DE*DCB/{session_id}" if origin == "reservation" else "",
    }
    return await between.oicp.bridge.ledger.open(OicpSession(id=session_id, **{**usual, **fields}))


async def message_of(operation: str, between: Between) -> Tree:
    """One that is served."""
    match operation:
        case "PushEvseData":
            return {"ActionType": "update", "OperatorEvseData": data(EVSE)}
        case "PushEvseStatus":
            status = {"EvseID": EVSE, "EvseStatus": "Available"}
            return {
                "ActionType": "fullLoad",
                "OperatorEvseStatus": {"OperatorID": "DE*ABC", "EvseStatusRecord": [status]},
            }
        case "PushPricingProductData":
            told = prices({"OperatorID": "DE*ABC", "PricingProductDataRecords": [product({"ProductID": "AC3"})]})
            return {"ActionType": "fullLoad", "PricingProductData": told}
        case "PushEVSEPricing":
            pricing = {"EvseID": EVSE, "ProviderID": "*", "EvseIDProductList": ["AC3"]}
            return {"ActionType": "fullLoad", "EVSEPricing": [pricing]}
        case "PushAuthenticationData":
            known = {"Identification": card("AABBCCDD")}
            return {
                "ActionType": "fullLoad",
                "ProviderAuthenticationData": {"ProviderID": "DE-DCB", "AuthenticationDataRecord": [known]},
            }
        case "AuthorizeStart":
            return {"OperatorID": "DE*ABC", "EvseID": EVSE, "Identification": CAR}
        case "AuthorizeStop":
            return {"OperatorID": "DE*ABC", "SessionID": (await row(between)).id, "Identification": CAR}
        case "ChargingNotification":
            start = {"Type": "Start", "ChargingStart": "2026-05-04T12:00:00+02:00"}
            return {"SessionID": (await row(between)).id, "EvseID": EVSE, "OperatorID": "DE*ABC", **start}
        case "ChargeDetailRecord":
            return record((await row(between)).id)
        case "AuthorizeRemoteStart" | "AuthorizeRemoteReservationStart":
            return {"ProviderID": "DE-DCB", "EvseID": EVSE, "Identification": DRIVER}
        case "AuthorizeRemoteStop" | "AuthorizeRemoteReservationStop":
            session = await row(between, STOPS[operation])
            return {"ProviderID": "DE-DCB", "EvseID": EVSE, "SessionID": session.id}
        case "PullEvseData":
            return {"ProviderID": "DE-DCB", "GeoCoordinatesResponseFormat": "Google"}
        case "PullEvseStatusByID":
            return {"ProviderID": "DE-DCB", "EvseID": [EVSE]}
        case "PullEvseStatusByOperatorID":
            return {"ProviderID": "DE-DCB", "OperatorID": ["DE*ABC"]}
        case "PullPricingProductData":
            return {"OperatorIDs": ["DE*ABC"]}
        case "PullEVSEPricing":
            return {"ProviderID": "DE-DCB", "OperatorIDs": ["DE*ABC"]}
        case "GetChargeDetailRecords":
            return {"ProviderID": "DE-DCB", "From": "2026-05-01T00:00:00Z", "To": "2026-05-04T00:00:00Z"}
        case _:
            return {"ProviderID": "DE-DCB"}


def record(session: str, **fields: Any) -> Tree:
    """A charge detail record."""
    return {
        "SessionID": session,
        "EvseID": EVSE,
        "Identification": CAR,
        "SessionStart": "2026-05-04T11:00:00+02:00",
        "ChargingStart": "2026-05-04T11:02:00+02:00",
        "ChargingEnd": "2026-05-04T11:32:00+02:00",
        "SessionEnd": "2026-05-04T11:40:00+02:00",
        "ConsumedEnergy": Decimal(10),
        **fields,
    }


@dataclass
class Scene:
    """One request of one operation, as it is before anything is made different."""

    between: Between
    operation: str
    message: Tree
    by: str
    as_id: str = ""
    more: Tree = field(default_factory=dict)

    async def ask(self, **fields: Any) -> Said:
        """`fields` of the message are other ones."""
        return await self.between.ask(self.by, self.operation, {**self.message, **fields}, as_id=self.as_id)

    async def asked_where(self, name: str, **connection: Any) -> Said:
        """While the connection of `name` is another one."""
        before = self.between.oicp.connections.get(name)
        await self.between.change(name, **connection)
        try:
            return await self.ask()
        finally:
            await self.between.oicp.connections.connect(before, actor="test")

    async def answered(self, operation: str, tree: Any, **fields: Any) -> Said:
        """While partners answer `operation` with `tree`."""
        says = self.between.partners.says
        says[operation] = tree
        try:
            return await self.ask(**fields)
        finally:
            del says[operation]


Play = Callable[[Scene], Awaitable[Said]]


async def scene_of(between: Between, operation: str) -> Scene:
    """Long after the one before: nobody has asked too often, and nothing is remembered."""
    between.world.clock.passed_s += 1000
    return Scene(between, operation, await message_of(operation, between), OPERATIONS[operation].by)


# What any operation may answer.


async def served(scene: Scene) -> Said:
    return await scene.ask()


async def fails(scene: Scene) -> Said:
    """Our own fault."""
    with scene.between.store.broken(RuntimeError("secret words")):
        return await scene.ask()


async def without_a_database(scene: Scene) -> Said:
    with scene.between.store.broken(NotReady("there is no database")):
        return await scene.ask()


async def as_somebody_else(scene: Scene) -> Said:
    operation = OPERATIONS[scene.operation]
    if operation.has_id:
        scene.as_id = FOREIGN[operation.by]
        return await scene.ask()
    return await scene.ask(OperatorID=FOREIGN[operation.by])


async def too_often(scene: Scene) -> Said:
    """Which is no business answer: HTTP 429."""
    scene.by = f"busy-{scene.by}"
    said = [await scene.ask() for _ in range(2)]
    assert said[1].http == 429
    return said[1]


async def of_nothing(scene: Scene) -> Said:
    scene.message = {}
    said = await scene.ask()
    assert said.http == 400
    return said


# Data.


async def there_already(scene: Scene) -> Said:
    assert (await scene.ask()).code == "000"
    if scene.operation == "PushEvseStatus":
        told = {"OperatorID": "DE*ABC", "EvseStatusRecord": [{"EvseID": "DE*ABC*E404", "EvseStatus": "Available"}]}
        return await scene.ask(OperatorEvseStatus=told)
    return await scene.ask(ActionType="insert")


async def of_anothers_evse(scene: Scene) -> Said:
    foreign = "DE*XYZ*E1"
    match scene.operation:
        case "PushEvseData":
            return await scene.ask(OperatorEvseData=data(foreign))
        case "PushEvseStatus":
            status = [{"EvseID": foreign, "EvseStatus": "Available"}]
            return await scene.ask(OperatorEvseStatus={"OperatorID": "DE*ABC", "EvseStatusRecord": status})
        case "PushEVSEPricing":
            pricing = {"EvseID": foreign, "ProviderID": "*", "EvseIDProductList": ["AC3"]}
            return await scene.ask(EVSEPricing=[pricing])
        case _:
            return await scene.ask(EvseID=foreign)


async def of_anothers_driver(scene: Scene) -> Said:
    foreign = {"RemoteIdentification": {"EvcoID": "DE-XYZ-C00000001-X"}}
    if scene.operation != "PushAuthenticationData":
        return await scene.ask(Identification=foreign)
    records = [{"Identification": foreign}]
    told = {"ProviderID": "DE-DCB", "AuthenticationDataRecord": records}
    return await scene.ask(ProviderAuthenticationData=told)


# Partners, contracts and sessions.


async def of_an_unknown_partner(scene: Scene) -> Said:
    if scene.operation not in STOPS:
        return await scene.ask(EvseID="FR*NIX*E1")
    session = await row(scene.between, STOPS[scene.operation], cpo="gone", cpo_party="FR*NIX", session="FR*NIX/S1")
    return await scene.ask(SessionID=session.id)


async def without_a_contract(scene: Scene) -> Said:
    viewer, owner = ("cpo", "DE*DCB") if scene.by == "cpo" else ("emp", "DE*ABC")
    agreement, agreements = Agreement(viewer, owner, "*", allow=False), scene.between.world.hub.agreements
    await agreements.put(agreement, actor="test")
    try:
        return await scene.ask()
    finally:
        await agreements.remove(agreement, actor="test")


async def of_a_closed_session(scene: Scene) -> Said:
    return await scene.ask(SessionID=new_session_id())


async def of_a_silent_partner(scene: Scene) -> Said:
    return await scene.asked_where("cpo" if scene.by == "emp" else "emp", base_url=NOBODY)


async def of_a_partner_that_serves_nothing(scene: Scene) -> Said:
    return await scene.asked_where("cpo" if scene.by == "emp" else "emp", base_url="")


# What a provider, or an operator, refuses with.


async def of_a_qr_code(scene: Scene) -> Said:
    """Nobody is asked about the PIN of a printed contract."""
    return await scene.ask(Identification={"QRCodeIdentification": {"EvcoID": "NL-EEE-C00000001-1", "PIN": "1234"}})


async def of_an_unknown_card(scene: Scene) -> Said:
    return await scene.answered(scene.operation, no("102"), Identification=card("FFFFFFFF"))


def refused_by_the_emp(code: str) -> Play:
    async def play(scene: Scene) -> Said:
        uid = f"{code}0A0B0C0D"[:8]
        if scene.operation == "AuthorizeStop" or code in ("105", "110", "120", "121", "122"):
            return await scene.answered(scene.operation, no(code))
        await _carries(scene.between, uid)
        return await scene.answered(scene.operation, no(code), Identification=card(uid))

    return play


async def _carries(between: Between, uid: str) -> None:
    """A card that the EMP has told of."""
    party, now = Party.parse("DE*DCB"), between.world.clock.now()
    tree = {**stored_token(str(party), uid), "contract_id": "DE-DCB-C00000009-9", "whitelist": "NEVER"}
    await tokens.put(between.world.store, party, uid, TOKEN["2.3.0"].read(tree), now=now)


def refused_by_the_cpo(code: str) -> Play:
    async def play(scene: Scene) -> Said:
        return await scene.answered(scene.operation, no(code))

    return play


async def of_an_evse_that_nobody_told_of(scene: Scene) -> Said:
    return await scene.ask(EvseID="DE*ABC*E404")


async def of_an_evse_that_is_not_for_roaming(scene: Scene) -> Said:
    return await scene.ask(EvseID="DE*ABC*E604")


USUAL: Final[Mapping[str, Play]] = {
    "000": served,
    "001": fails,
    "002": without_a_database,
    "009": there_already,
    "017": as_somebody_else,
    "018": of_anothers_evse,
    "019": of_anothers_driver,
    "021": too_often,
    "022": of_nothing,
    "210": without_a_contract,
    "300": of_an_unknown_partner,
    "310": of_a_silent_partner,
    "320": of_a_partner_that_serves_nothing,
    "400": of_a_closed_session,
    "604": of_an_evse_that_is_not_for_roaming,
    **{code: refused_by_the_emp(code) for code in OF_EMP.split()},
    **{code: refused_by_the_cpo(code) for code in OF_CPO.split() if code != "400"},
}
SPECIAL: Final[Mapping[tuple[str, str], Play]] = {
    ("AuthorizeStart", "101"): of_a_qr_code,
    ("AuthorizeStart", "102"): of_an_unknown_card,
    ("AuthorizeRemoteStart", "400"): refused_by_the_cpo("400"),
    ("AuthorizeRemoteReservationStart", "400"): refused_by_the_cpo("400"),
}
"""Where a code comes about in another way than elsewhere."""


def play_of(operation: str, code: str) -> Play:
    return SPECIAL.get((operation, code)) or USUAL[code]
