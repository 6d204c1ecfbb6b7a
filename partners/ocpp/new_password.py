"""A new password in the words of a version: AuthorizationKey of 1.6, the variable BasicAuthPassword of 2.x (A01).

Over 1.6 the bytes travel as hexadecimal digits, over 2.x the text itself does; what comes back in HTTP Basic may be
either (`passwords.py`).
"""

from __future__ import annotations

from typing import Final

from hub.core.errors import InvalidRequest
from hub.core.jsontypes import Tree
from partners.ocpp import passwords
from partners.ocpp.phrases import Said

_SHORTEST_2, _LONGEST_2 = 16, 40
_REFUSED: Final = frozenset(
    {"Rejected", "NotSupported", "UnknownComponent", "UnknownVariable", "NotSupportedAttributeType"}
)


def told_password(secret: str, version: str) -> Said:
    """The CALL that gives a station its new password. Raises: InvalidRequest, where the version cannot carry it."""
    if version == "1.6":
        key = secret if passwords.is_hex(secret) else secret.encode().hex()
        return Said("ChangeConfiguration", {"key": "AuthorizationKey", "value": key})
    if not _SHORTEST_2 <= len(secret) <= _LONGEST_2:
        raise InvalidRequest(f"a charger's password has {_SHORTEST_2} to {_LONGEST_2} characters in OCPP {version}")
    about = {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}}
    return Said("SetVariables", {"setVariableData": [{"attributeValue": secret, **about}]})


def password_refused(answer: Tree) -> bool:
    """Does it say that nothing was changed?"""
    results = answer.get("setVariableResult")
    first = results[0] if isinstance(results, list) and results else None
    status = first.get("attributeStatus") if isinstance(first, dict) else answer.get("status")
    return status in _REFUSED
