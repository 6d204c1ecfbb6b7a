"""What a driver shows: the id of a contract (EvcoID) and the number of a card (UID).

OICP reads two forms of the first. ISO 15118: `DE-8EO-CAET5E4XY-3`, an instance of C and eight characters. DIN SPEC
91286: `DE*8EO*AET5E4*3`, an instance of six. OCPI's parties often leave the check digit out, which OICP demands; it is
computed then. One that came is never changed, right or wrong: it is part of what the provider knows.
"""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from hub.core.parties import Party
from partners.oicp.ids.check_digits import din_check_digit, iso_check_digit
from partners.oicp.ids.faults import InvalidId
from partners.oicp.ids.parties import ProviderID

_ISO: Final = re.compile(r"([A-Z]{2})[*|-]?([A-Z0-9]{3})[*|-]?(C[A-Z0-9]{8})(?:[*|-]?([A-Z0-9]))?", re.ASCII)
_DIN: Final = re.compile(r"([A-Z]{2})[*|-]?([A-Z0-9]{3})[*|-]?([A-Z0-9]{6})(?:[*|-]?([0-9X]))?", re.ASCII)
_UID: Final = re.compile(r"[0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20}", re.ASCII)
_SESSION: Final = re.compile(r"[A-Za-z0-9]{8}(-[A-Za-z0-9]{4}){3}-[A-Za-z0-9]{12}", re.ASCII)
_SEPARATORS: Final = str.maketrans("", "", ":- ")

Form = Literal["ISO", "DIN"]


class EvcoID(NamedTuple):
    """The id of a contract. `check` is the check digit that came with it, "" for none."""

    form: Form
    country: str
    provider: str
    instance: str
    check: str = ""

    @classmethod
    def parse(cls, text: str) -> EvcoID:
        """In any case, with or without separators and check digit. Raises: InvalidId."""
        folded = text.strip().upper()
        for form, pattern in _FORMS.items():
            match = pattern.fullmatch(folded)
            if match is not None:
                return cls(form, match[1], match[2], match[3], match[4] or "")
        raise InvalidId("a contract is written as in DE-8EO-CAET5E4XY-3 or DE*8EO*AET5E4*3")

    @property
    def check_digit(self) -> str:
        """The one that ISO 15118 or DIN SPEC 91286 computes for this contract."""
        code = self.country + self.provider + self.instance
        return iso_check_digit(code) if self.form == "ISO" else din_check_digit(code)

    @property
    def is_checked(self) -> bool:
        """Did a check digit come with it, and is it the right one?"""
        return self.check == self.check_digit

    @property
    def complete(self) -> EvcoID:
        """With a check digit: the one that came, else the computed one."""
        return self if self.check else self._replace(check=self.check_digit)

    @property
    def canonical(self) -> str:
        """`DE8EOCAET5E4XY3`: equal for all spellings of one contract."""
        return "".join(self.complete[1:])

    def party(self) -> Party:
        """Whose contract it is."""
        return ProviderID(self.country, self.provider).party()

    def __str__(self) -> str:
        return "-".join(part for part in self[1:] if part)


_FORMS: Final[dict[Form, re.Pattern[str]]] = {"ISO": _ISO, "DIN": _DIN}


def folded_uid(text: str) -> str:
    """The number of a card in upper case and without separators, whatever it is."""
    return text.strip().upper().translate(_SEPARATORS)


def card_uid(text: str, *, is_reversed: bool = False) -> str:
    """The number of a card as OICP writes it: 4, 7 or 10 bytes in hexadecimal.

    `is_reversed`: this partner reads the bytes of a card from the other end. Raises: InvalidId; nothing is padded.
    """
    uid = folded_uid(text)
    if not _UID.fullmatch(uid):
        raise InvalidId("OICP writes the number of a card as 8, 14 or 20 hexadecimal digits")
    return bytes.fromhex(uid)[::-1].hex().upper() if is_reversed else uid


def is_session_id(text: str) -> bool:
    """Has it the shape of a SessionID, that is of a GUID?"""
    return _SESSION.fullmatch(text) is not None
