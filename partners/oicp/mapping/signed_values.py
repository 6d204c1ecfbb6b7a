"""Signed meter values: not one character may change, so they are told whole, or not at all.

OICP has the text of each; OCPI has its bytes in base64, and the text besides. OICP takes at most ten of at most 3000
characters, from Start over Progress to End. Of too many, or too long ones, those in the middle stay here.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

from hub.core.jsontypes import Tree
from partners.oicp.mapping.terms import Notes

NATURES: Final[Mapping[str, str]] = {"Start": "Start", "Progress": "Intermediate", "End": "End"}
"""MeteringStatus -> nature."""
_STATES: Final = {nature.lower(): state for state, nature in NATURES.items()}
_PROGRESS: Final = "Progress"
_MOST: Final = 10
_LONGEST: Final = 3000
_URL: Final = 200
_OCPI_LIMITS: Final = {"encoding_method": 36, "public_key": 512, "url": 512}
_OCPI_LONGEST: Final = 5000
_PATH: Final = "/signed_data/signed_values"
_THEIRS: Final = "/SignedMeteringValues"
_INFO: Final = "/CalibrationLawVerificationInfo"


def said_signed(signed: Mapping[str, Any] | None, notes: Notes) -> Tree:
    """SignedMeteringValues and CalibrationLawVerificationInfo of OCPI's SignedData; nothing where they cannot be."""
    if signed is None:
        return {}
    values = [_said(value, at, notes) for at, value in enumerate(signed["signed_values"])]
    if any(len(each["SignedMeteringValue"]) > _LONGEST and each["MeteringStatus"] != _PROGRESS for each in values):
        notes.lose("/signed_data", warn="signed values are longer than OICP takes: they are not told")
        return {}
    kept = _fitting([each for each in values if len(each["SignedMeteringValue"]) <= _LONGEST])
    if len(kept) < len(values):
        notes.lose(f"{_PATH}/0", warn="signed values in the middle are not told")
    if [each["MeteringStatus"] for each in kept] == ["End"]:
        # The checks of a lone end value are made for pairs: it stands behind a start without a value.
        kept = [{"SignedMeteringValue": "", "MeteringStatus": "Start"}, *kept]
    return {"SignedMeteringValues": kept, "CalibrationLawVerificationInfo": _info(signed, notes)}


def _said(value: Mapping[str, Any], at: int, notes: Notes) -> dict[str, str]:
    text = _decoded(value["signed_data"])
    state = _STATES.get(value["nature"].lower(), _PROGRESS)
    if NATURES[state] != value["nature"]:
        notes.lose(f"{_PATH}/{at}/nature")
    if value["plain_data"] != text:
        notes.lose(f"{_PATH}/{at}/plain_data")
    if _encoded(text) != value["signed_data"]:
        notes.lose(f"{_PATH}/{at}/signed_data")
    return {"SignedMeteringValue": text, "MeteringStatus": state}


def _fitting(values: list[dict[str, str]]) -> list[dict[str, str]]:
    """All, or the first and the last, and from the middle what there is room for."""
    middle = [at for at, each in enumerate(values) if each["MeteringStatus"] == _PROGRESS]
    left_out = set(middle[max(0, _MOST - (len(values) - len(middle))) :]) if len(values) > _MOST else set()
    return [each for at, each in enumerate(values) if at not in left_out][:_MOST]


def _info(signed: Mapping[str, Any], notes: Notes) -> Tree:
    notes.lose_all(signed, ("encoding_method_version",), "/signed_data")
    url = signed.get("url") or ""
    if len(url) > _URL:
        notes.lose("/signed_data/url", warn="the address of signed data is longer than OICP takes: it is not told")
        url = ""
    info = {
        "PublicKey": signed.get("public_key"),
        "MeteringSignatureUrl": url,
        "MeteringSignatureEncodingFormat": signed["encoding_method"],
    }
    return {name: value for name, value in info.items() if value}


def read_signed(record: Mapping[str, Any], notes: Notes) -> Tree | None:
    """OCPI's SignedData of a record; None where there is none, or where OCPI would have to cut it."""
    info: Mapping[str, Any] = record.get("CalibrationLawVerificationInfo") or {}
    notes.lose_all(info, ("CalibrationLawCertificateID", "SignedMeteringValuesVerificationInstruction"), _INFO)
    texts = [each for each in record.get("SignedMeteringValues") or () if each.get("SignedMeteringValue")]
    if not texts:
        return None
    values = [_read(each) for each in texts]
    tree: Tree = {
        "encoding_method": str(info.get("MeteringSignatureEncodingFormat") or ""),
        "signed_values": values,
        "public_key": str(info.get("PublicKey") or ""),
        "url": str(info.get("MeteringSignatureUrl") or ""),
    }
    too_long = any(len(tree[name]) > most for name, most in _OCPI_LIMITS.items())
    too_long |= any(len(each["signed_data"]) > _OCPI_LONGEST for each in values)
    if too_long or not tree["encoding_method"]:
        why = "are longer than OCPI takes" if too_long else "do not tell their encoding"
        notes.lose(_THEIRS, _INFO, warn=f"signed values {why}: they stay with the record")
        return None
    return {name: value for name, value in tree.items() if value}


def _read(value: Mapping[str, Any]) -> Tree:
    text = str(value["SignedMeteringValue"])
    nature = NATURES.get(str(value.get("MeteringStatus")), NATURES[_PROGRESS])
    return {"nature": nature, "plain_data": text, "signed_data": _encoded(text)}


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decoded(text: str) -> str:
    """The text behind base64; what is none stays as it is."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        return text
