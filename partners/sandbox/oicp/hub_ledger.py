"""The hub's sessions: who, where, since when, and whether they are over."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from partners.sandbox.oicp.call import Refused
from partners.sandbox.oicp.hub_members import Member
from partners.sandbox.oicp.ids import folded, new_session
from partners.sandbox.wire import Json


@dataclass
class Session:
    """One session. `origin`: card, offline (the hub said yes in the EMP's place), RemoteStart or ReservationStart."""

    cpo: str
    emp: str
    origin: str
    identification: Json
    session_id: str = field(default_factory=new_session)
    closed: bool = False
    progressed: datetime | None = None


@dataclass
class Kept:
    """A CDR in the hub. `outcome` of passing it on: none yet, delivered, or why not."""

    record: dict[str, Any]
    session: Session
    at: datetime
    outcome: str | None = None


class Ledger:
    """All sessions and CDRs of one hub."""

    def __init__(self) -> None:
        self.sessions: dict[str, Session] = {}
        self.kept: dict[str, Kept] = {}

    def open(self, session: Session) -> None:
        """From now on it is valid."""
        self.sessions[session.session_id] = session

    def drop(self, session: Session) -> None:
        """Nobody said yes: it never was."""
        self.sessions.pop(session.session_id, None)

    def of_cpo(self, session_id: str, member: Member) -> Session:
        """A CPO's session that is not over. Raises: Refused, 400."""
        return self._found(session_id, "cpo", member)

    def of_emp(self, session_id: str, member: Member) -> Session:
        """An EMP's session that is not over. Raises: Refused, 400."""
        return self._found(session_id, "emp", member)

    def _found(self, session_id: str, end: str, member: Member) -> Session:
        session = self.sessions.get(session_id)
        if session is None or session.closed or folded(getattr(session, end)) != folded(member.party):
            raise Refused("400", session_id)
        return session

    def listed(self) -> dict[str, Json]:
        """For testers."""
        kept = [{"outcome": each.outcome, "record": each.record} for each in self.kept.values()]
        return {"sessions": [_shown(session) for session in self.sessions.values()], "records": kept}


def _shown(session: Session) -> dict[str, Json]:
    return {name: value for name, value in asdict(session).items() if name != "progressed"}
