"""Which charge a CDR bills: the marks by which bills of one charge are found, and how they are told from others.

A second bill seldom is a copy. It has another id, and may have another EVSE, a contract written without hyphens, a
start some seconds later, a few Wh more. So bills are found by what hardly changes, each of it in an index: the session;
the card with the hour's part in which it began; the contract likewise. What is found is then held side by side.

A CPO may bill a session in parts, one after the other. Two bills are of one charge only where their times overlap.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Final, NamedTuple

import msgspec

from hub.core.jsontypes import Tree
from hub.core.types import parse_datetime
from modules.cdrs.check import CLOCKS, HUNDREDTH

COLUMNS: Final = ("session", "card", "contract")
"""Of a received CDR: its marks. "" for what it does not name."""
NO_MARKS: Final = ("", "", "")

_SLOT_S: Final = 600
_CLOCKS_S: Final = CLOCKS // timedelta(seconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SEPARATORS: Final = re.compile(r"[^0-9A-Z]")
_NOBODY: Final = "#NA"


class _Token(msgspec.Struct):
    uid: str
    contract_id: str


class _Place(msgspec.Struct):
    id: str
    evse_uid: str


class _Period(msgspec.Struct):
    start_date_time: str


class _Stated(msgspec.Struct):
    """What is looked at of a CDR in our form."""

    country_code: str
    party_id: str
    start_date_time: str
    end_date_time: str
    total_energy: Decimal
    cdr_token: _Token
    cdr_location: _Place
    charging_periods: list[_Period]
    session_id: str = ""


class Bill(NamedTuple):
    """What a CDR bills, so that it compares: texts in upper case; "" for what nobody can tell apart by."""

    owner: str
    session: str
    card: str
    contract: str
    place: tuple[str, str]
    start: datetime
    begin: datetime
    end: datetime
    energy: Decimal

    @property
    def marks(self) -> tuple[str, str, str]:
        """In the order of `COLUMNS`."""
        slot = _seconds(self.start) // _SLOT_S
        return self._session_mark, self._card_mark(self.card, slot), self._card_mark(self.contract, slot)

    @property
    def places(self) -> list[tuple[str, str]]:
        """Column and mark of every bill that may be of the same charge."""
        slots = sorted({(_seconds(self.start) + apart) // _SLOT_S for apart in (-_CLOCKS_S, _CLOCKS_S)})
        found = [("session", self._session_mark)]
        found += [("card", self._card_mark(self.card, slot)) for slot in slots]
        found += [("contract", self._card_mark(self.contract, slot)) for slot in slots]
        return [(column, mark) for column, mark in found if mark]

    @property
    def _session_mark(self) -> str:
        return f"{self.owner}/{self.session}" if self.session else ""

    def _card_mark(self, card: str, slot: int) -> str:
        """No card stands in an index as it is."""
        if not card:
            return ""
        return f"{blake2b(f'{self.owner}|{card}'.encode(), digest_size=16).hexdigest()}/{slot}"


def bill_of(tree: Tree) -> Bill | None:
    """What a CDR in our form bills; None for a credit CDR."""
    return None if tree.get("credit") else _bill(msgspec.convert(tree, _Stated))


def bill_in(body: bytes) -> Bill:
    """The same of a kept CDR, of which a bill is looked for."""
    return _bill(msgspec.json.decode(body, type=_Stated))


def marks_of(tree: Tree) -> tuple[str, str, str]:
    """The marks of a CDR, in the order of `COLUMNS`."""
    bill = bill_of(tree)
    return NO_MARKS if bill is None else bill.marks


def _bill(stated: _Stated) -> Bill:
    token, place = stated.cdr_token, stated.cdr_location
    start, end = parse_datetime(stated.start_date_time), parse_datetime(stated.end_date_time)
    return Bill(
        owner=f"{stated.country_code}*{stated.party_id}".upper(),
        session=_told(stated.session_id.upper()),
        card=_told(token.uid.upper()),
        contract=_SEPARATORS.sub("", _told(token.contract_id.upper())),
        place=(place.id.upper(), place.evse_uid.upper()),
        start=start,
        begin=min((parse_datetime(period.start_date_time) for period in stated.charging_periods), default=start),
        end=end,
        energy=stated.total_energy,
    )


def _seconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _told(name: str) -> str:
    return "" if name.startswith(_NOBODY) else name


def is_same_charge(one: Bill, other: Bill) -> bool:
    """Do two bills bill one charge? Whatever else differs if they name one session, else as card, start and energy say.

    A card may start two charges at once, so what could be two is held to one place: two sessions, or no energy.
    """
    if one.owner != other.owner or not _share_time(one, other):
        return False
    if one.session and one.session == other.session:
        return True
    is_one_card = bool(one.card and one.card == other.card) or bool(one.contract and one.contract == other.contract)
    is_alike = abs(one.start - other.start) <= CLOCKS and abs(one.energy - other.energy) <= HUNDREDTH
    could_be_two = bool(one.session and other.session) or abs(one.energy) <= HUNDREDTH
    return is_one_card and is_alike and (not could_be_two or one.place == other.place)


def stands_in_for(one: Bill, other: Bill) -> bool:
    """May `one` be made instead of `other`, which was taken back? All that is billed anew may differ from it.

    So it is the session that tells, or one card at one EVSE at one time.
    """
    if one.session and one.session == other.session:
        return one.owner == other.owner
    is_one_card = bool(one.card and one.card == other.card) or bool(one.contract and one.contract == other.contract)
    is_alike = is_one_card and one.place == other.place and _share_time(one, other)
    return is_same_charge(one, other) or (one.owner == other.owner and is_alike)


def _share_time(one: Bill, other: Bill) -> bool:
    """Parts of a session may meet, and by as much as clocks differ overlap; a part that is shorter, by half of it."""
    shared = min(one.end, other.end) - max(one.begin, other.begin)
    shortest = min(one.end - one.begin, other.end - other.begin)
    return shared >= min(CLOCKS, shortest / 2)
