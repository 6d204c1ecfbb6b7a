"""Who may do what: the authorization matrix, as a table that is walked with every actor in every version.

Actors: N nobody, X a token that is void, A a pending token A, P a blocked partner, C1 and C2 CPOs, E1 and E2 eMSPs.
E1's objects are in the hub; what is tried is always something about E1, or open to all.
"""

from __future__ import annotations

from typing import Any, Final

import pytest

from hub.core.registry import State
from tests.modules.cdrs.check.records import but, wired
from tests.modules.cdrs.check.test_mistakes import EVENING
from tests.modules.sessions.records import a_session
from tests.world import NOW, World, credentials, their_location, their_tariff, token

ACTORS: Final = ("N", "X", "A", "P", "C1", "C2", "E1", "E2")
OK: Final = (200, 1000)
UNAUTHORIZED: Final = (401, 2000)
FORBIDDEN: Final = (403, 2000)
FOREIGN: Final = (404, 2000)
METHOD: Final = (405, 2000)

Row = tuple[str, str, Any, dict[str, tuple[int, int]]]


def row(method: str, path: str, body: Any = None, **may: tuple[int, int]) -> Row:
    """What each actor is answered; who is not named is not let in, and never are N, X and P."""
    return method, path, body, {actor: may.get(actor, UNAUTHORIZED) for actor in ACTORS}


def everybody(answer: tuple[int, int]) -> dict[str, tuple[int, int]]:
    return dict.fromkeys(("C1", "C2", "E1", "E2"), answer)


def emsps(first: tuple[int, int], second: tuple[int, int]) -> dict[str, tuple[int, int]]:
    return {"C1": FORBIDDEN, "C2": FORBIDDEN, "E1": first, "E2": second}


def readers(other: tuple[int, int]) -> dict[str, tuple[int, int]]:
    """What is shared with eMSPs, and not with other CPOs."""
    return {"C1": other, "C2": other, "E1": OK, "E2": OK}


def cpos(first: tuple[int, int], second: tuple[int, int]) -> dict[str, tuple[int, int]]:
    return {"C1": first, "C2": second, "E1": FORBIDDEN, "E2": FORBIDDEN}


def receivers(version: str) -> list[Row]:
    """A CPO's objects at BE/AAA, which X1 and T9 are; nothing of it has an effect."""
    whole, price = their_location(version), their_tariff(version)
    evse = whole["evses"][0]
    part = {"last_updated": evse["last_updated"]}
    rows = [
        row("GET", "receiver/locations/BE/AAA/X1", **cpos(OK, FOREIGN)),
        row("GET", "receiver/locations/BE/AAA/X1/E1", **cpos(OK, FOREIGN)),
        row("GET", "receiver/locations/BE/AAA/X1/E1/1", **cpos(OK, FOREIGN)),
        row("PUT", "receiver/locations/BE/AAA/X1", whole, **cpos(OK, FOREIGN)),
        row("PUT", "receiver/locations/BE/AAA/X1/E1", evse, **cpos(OK, FOREIGN)),
        row("PUT", "receiver/locations/BE/AAA/X1/E1/1", evse["connectors"][0], **cpos(OK, FOREIGN)),
        row("PATCH", "receiver/locations/BE/AAA/X1", part, **cpos(OK, FOREIGN)),
        row("PATCH", "receiver/locations/BE/AAA/X1/E1", part, **cpos(OK, FOREIGN)),
        row("PATCH", "receiver/locations/BE/AAA/X1/E1/1", part, **cpos(OK, FOREIGN)),
        row("DELETE", "receiver/locations/BE/AAA/X1", **everybody(METHOD)),
        row("POST", "receiver/locations/BE/AAA/X1", whole, **everybody(METHOD)),
        row("GET", "receiver/tariffs/BE/AAA/T9", **cpos(OK, FOREIGN)),
        row("PUT", "receiver/tariffs/BE/AAA/T9", price, **cpos(OK, FOREIGN)),
        row("DELETE", "receiver/tariffs/BE/AAA/NOPE", **cpos((404, 2000), FOREIGN)),
        row("PATCH", "receiver/tariffs/BE/AAA/T9", part, **(cpos(OK, FOREIGN) if version == "2.1.1"
                                                           else everybody(METHOD))),
    ]  # fmt: skip
    if version != "2.1.1":  # there the body names no party
        wrong = (200, 2001)
        rows += [
            row("PUT", "receiver/locations/BE/AAA/X1", {**whole, "party_id": "BBB"}, **cpos(wrong, FOREIGN)),
            row("PUT", "receiver/tariffs/BE/AAA/T9", {**price, "party_id": "BBB"}, **cpos(wrong, FOREIGN)),
        ]
    return rows


def command(version: str, name: str, session: str) -> dict[str, Any]:
    """A command of E1's, with E1's token or about E1's session."""
    common: dict[str, Any] = {"response_url": "https://e1.example/commands/1"}
    place = {"location_id": "LOC1", "evse_uid": "E1"}
    card = token(version)
    reservation = {"expiry_date": "2026-05-04T12:00:00Z", "reservation_id": 1 if version == "2.1.1" else "R1"}
    own: dict[str, dict[str, Any]] = {
        "START_SESSION": {"token": card, **place},
        "RESERVE_NOW": {"token": card, **place, **reservation},
        "STOP_SESSION": {"session_id": session},
        "UNLOCK_CONNECTOR": {**place, "connector_id": "1"},
    }
    return common | own[name]


def matrix(version: str, session: str) -> list[Row]:
    """The rows, with effect last."""
    month = "date_from=2026-05-01T00:00:00Z"
    url_is_not_theirs = (200, 2001)
    foreign_token = (200, 2000 if version == "2.1.1" else 2004)  # 2.1.1 has no 2004; the card is on E1's list alone
    rows = [
        row("GET", "/ocpi/versions", A=OK, **everybody(OK)),
        row("GET", f"/ocpi/{version}", A=OK, **everybody(OK)),
        row("GET", f"/ocpi/{version}/credentials", A=OK, **everybody(OK)),
        row("POST", f"/ocpi/{version}/credentials", credentials(version, "NL*EEE"), A=(200, 2001), **everybody(METHOD)),
        row("PUT", f"/ocpi/{version}/credentials", credentials(version, "NL*AAA"), A=METHOD, **everybody((200, 2001))),
        row("DELETE", f"/ocpi/{version}/credentials/x", A=(404, 2000), **everybody((404, 2000))),
        row("GET", "sender/locations", **everybody(OK)),
        row("GET", "sender/locations/LOC1", **readers((404, 2003))),
        row("GET", "sender/locations/LOC1/E1", **readers((404, 2003))),
        row("GET", "sender/locations/LOC1/E1/1", **readers((404, 2003))),
        *receivers(version),
        row("GET", "sender/tariffs", **everybody(OK)),
        row("GET", f"sender/sessions?{month}", **emsps(OK, OK)),
        row("GET", f"sender/cdrs?{month}", **emsps(OK, OK)),
        row("GET", "receiver/tokens/NL/EEE/CARD1", **emsps(OK, FOREIGN)),
        row("PUT", "receiver/tokens/NL/EEE/CARD1", token(version), **emsps(OK, FOREIGN)),
        row("PATCH", "receiver/tokens/NL/EEE/CARD1", {"last_updated": "2026-05-04T10:00:00Z"}, **emsps(OK, FOREIGN)),
        row("POST", "receiver/cdrs", wired(but(EVENING, id="C1-1"), version),
            **cpos(OK, OK if version == "2.1.1" else (200, 2001))),
        row("GET", "receiver/cdrs/BE/AAA/C1-1", **cpos(OK, FOREIGN)),
        row("GET", "receiver/cdrs/C1-1", **cpos(OK, OK if version == "2.1.1" else FOREIGN)),
        row("GET", "receiver/cdrs/BE/AAA/C2-1", **cpos(FOREIGN, FOREIGN)),
        row("GET", "receiver/cdrs", **everybody(METHOD)),
        row("GET", "sender/tokens", **cpos(OK, OK)),
        row("POST", "sender/tokens/ALWAYS/authorize", {"location_id": "LOC1"}, **cpos(OK, OK)),
        row("GET", "receiver/sessions/BE/AAA/S1", **cpos(OK, FOREIGN)),
        row("PUT", "receiver/sessions/BE/AAA/S1", a_session(version), **cpos(OK, FOREIGN)),
        row("PATCH", "receiver/sessions/BE/AAA/S1", {"last_updated": "2026-05-04T10:00:00Z"}, **cpos(OK, FOREIGN)),
        row("DELETE", "receiver/sessions/BE/AAA/S1", **everybody(METHOD)),
        row("DELETE", "receiver/tokens/NL/EEE/CARD1", **everybody(METHOD)),
        row("POST", "receiver/commands/START_SESSION", command(version, "START_SESSION", session),
            **emsps(OK, url_is_not_theirs)),
        row("POST", "receiver/commands/RESERVE_NOW", command(version, "RESERVE_NOW", session),
            **emsps(OK, url_is_not_theirs)),
        row("POST", "receiver/commands/STOP_SESSION", command(version, "STOP_SESSION", session),
            **emsps(OK, url_is_not_theirs)),
        row("POST", "receiver/commands/START_SESSION",
            command(version, "START_SESSION", session) | {"response_url": "https://e2.example/1"},
            **emsps(url_is_not_theirs, foreign_token)),
    ]  # fmt: skip
    if version != "2.1.1":
        wish = {"profile_type": "FAST"}
        rows += [
            row("PUT", f"sender/sessions/{session}/charging_preferences", wish, **emsps((404, 2001), FOREIGN)),
            row("GET", "sender/hubclientinfo", **everybody(OK)),
            row("GET", "receiver/hubclientinfo/NL/EEE", **everybody(FORBIDDEN)),
            row("PUT", "receiver/hubclientinfo/NL/EEE", client_info(), **everybody(FORBIDDEN)),
        ]
    return rows + (only_in_230() if version == "2.3.0" else [])


def client_info() -> dict[str, Any]:
    """What only a hub may say of a party."""
    about = {"country_code": "NL", "party_id": "EEE", "role": "EMSP", "status": "OFFLINE"}
    return {**about, "last_updated": "2026-05-04T10:00:00Z"}


def only_in_230() -> list[Row]:
    """Of the modules that came with its editions."""
    return [
        row("GET", "sender/invoicereconciliation", **everybody(OK)),
        row("GET", "receiver/invoicereconciliation/BE/AAA/R1", **everybody(FOREIGN)),
        row("DELETE", "receiver/invoicereconciliation/BE/AAA/R1", **everybody(FOREIGN)),
        row("GET", "sender/payments/terminals", **cpos(OK, OK)),
        row("GET", "sender/payments/financial-advice-confirmations", **cpos(OK, OK)),
        row("PATCH", "sender/payments/terminals/T1", {}, **cpos(FOREIGN, FOREIGN)),
        row("POST", "receiver/payments/terminals", {"terminal_id": "T1"}, **everybody(FORBIDDEN)),
        row("GET", "sender/bookings", **emsps(OK, OK)),
        row("GET", "sender/bookings/booking_locations", **emsps(OK, OK)),
        row("GET", "receiver/bookings/BE/AAA/BK1", **cpos(FOREIGN, FOREIGN)),
        row("GET", "receiver/bookings/BE/AAA/booking_locations/BX1", **cpos(FOREIGN, FOREIGN)),
    ]


async def test_every_actor_gets_what_the_matrix_says(world: World) -> None:
    await world.ask("PUT", world.at("receiver/tokens/NL/EEE/CARD1"), by="e1", body=token(world.version))
    always = token(world.version, uid="ALWAYS", whitelist="ALWAYS")
    await world.ask("PUT", world.at("receiver/tokens/NL/EEE/ALWAYS"), by="e1", body=always)
    await world.ask("PUT", world.at("receiver/sessions/BE/AAA/S1"), by="c1", body=a_session(world.version))
    session = await world.charge("NL*EEE", at=NOW)
    for path, body in (("locations/BE/AAA/X1", their_location(world.version)),
                       ("tariffs/BE/AAA/T9", their_tariff(world.version))):  # fmt: skip
        assert (await world.ask("PUT", world.at(f"receiver/{path}"), by="c1", body=body)).http == 201
    await world.ask("GET", "/ocpi/versions", by="e1")
    for cpo in ("c1", "c2") if world.version == "2.1.1" else ("c1",):  # there a CDR is its sender's, whoever that is
        bill = wired(but(EVENING, id="C1-1"), world.version)
        assert (await world.ask("POST", world.at("receiver/cdrs"), by=cpo, body=bill)).http == 201
    wrong = []
    async with world.unchanged():
        for method, path, body, answers in matrix(world.version, session):
            target = path if path.startswith("/") else world.at(path)
            for actor, expected in answers.items():
                by = None if actor == "N" else actor.lower()
                said = await world.ask(method, target, by=by, body=body)
                if (said.http, said.code) != expected:
                    wrong.append((actor, method, path, said.http, said.code, said.message, "not", expected))
    assert not wrong


@pytest.mark.parametrize("module", ["sessions", "cdrs"])
async def test_only_the_own_tokens_records_are_seen_and_counted(world: World, module: str) -> None:
    for owner, count in (("NL*EEE", 3), ("NL*FFF", 2)):
        for _ in range(count):
            await world.charge(owner)
    path = world.at(f"sender/{module}?date_from=2026-01-01T00:00:00Z")
    ids = {}
    for by, count in (("e1", 3), ("e2", 2)):
        said = await world.ask("GET", path, by=by)
        assert (len(said.data), said.headers["x-total-count"]) == (count, str(count))
        ids[by] = {record["id"] for record in said.data}
    assert not ids["e1"] & ids["e2"]
    said = await world.ask("GET", path + "&limit=1", by="e2")
    assert said.headers["x-total-count"] == "2"


async def test_a_session_of_another_is_as_unknown_as_none(world: World) -> None:
    session = await world.charge("NL*EEE", end=False)
    answers = []
    for session_id in (session, "no-such-session"):
        body = {"response_url": "https://e2.example/1", "session_id": session_id}
        said = await world.ask("POST", world.at("receiver/commands/STOP_SESSION"), by="e2", body=body)
        answers.append(said.data)
    assert answers[0] == answers[1]
    assert answers[0]["result"] == "UNKNOWN_SESSION"


async def test_what_one_partner_writes_stays_in_its_own_space(world: World) -> None:
    """Two eMSPs may have cards of the same uid; neither sees or changes the other's."""
    for by, owner in (("e1", "NL*EEE"), ("e2", "NL*FFF")):
        path = world.at(f"receiver/tokens/{owner.replace('*', '/')}/CARD1")
        body = token(world.version, owner, issuer=owner)
        assert (await world.ask("PUT", path, by=by, body=body)).http == 201
    for by, owner in (("e1", "NL*EEE"), ("e2", "NL*FFF")):
        path = world.at(f"receiver/tokens/{owner.replace('*', '/')}/CARD1")
        assert (await world.ask("GET", path, by=by)).data["issuer"] == owner


async def test_a_partner_that_is_blocked_is_out_at_once(world: World) -> None:
    path = world.at("sender/locations")
    assert (await world.ask("GET", path, by="e1")).http == 200
    partner = world.partner("e1")
    await world.registry.save(partner.model_copy(update={"state": State.BLOCKED}))
    async with world.unchanged():
        assert (await world.ask("GET", path, by="e1")).http == 401
        assert (await world.ask("PUT", world.at("credentials"), by="e1", body=credentials(world.version))).http == 401
