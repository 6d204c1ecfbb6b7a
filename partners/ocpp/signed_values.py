"""Signed meter values on their way into the CDR: untouched. OCPI mod_cdrs_signed_data_class.

1.6 has no field for a signature: chargers put a JSON text with the fields of 2.x into the value (the OCA's application
note), or the bare OCMF text. Whatever comes is passed on byte for byte.
"""

from __future__ import annotations

from typing import Final

import msgspec

from modules.sessions.charge import SignedValue as Kept
from partners.ocpp.readings import SignedValue

_NATURES: Final = {"Transaction.Begin": "Start", "Transaction.End": "End"}
_LONGEST_PLAIN: Final = 512
_LONGEST_SIGNED: Final = 5000


class _Wrapped(msgspec.Struct):
    """The JSON text that some chargers of 1.6 send."""

    signedMeterData: str  # noqa: N815 - OCPP's own name
    encodingMethod: str = ""  # noqa: N815
    publicKey: str = ""  # noqa: N815


def kept(value: SignedValue) -> Kept:
    """As the charge keeps it."""
    data, method, key = value.data, value.method, value.public_key
    try:
        wrapped = msgspec.json.decode(value.data, type=_Wrapped)
        data, method, key = wrapped.signedMeterData, wrapped.encodingMethod or method, wrapped.publicKey or key
    except msgspec.MsgspecError:
        pass
    is_ocmf = data.startswith("OCMF|")
    return Kept(
        nature=_NATURES.get(value.context, "Intermediate"),
        plain_data=(data.split("|")[1] if is_ocmf and data.count("|") > 1 else "")[:_LONGEST_PLAIN],
        signed_data=data if len(data) <= _LONGEST_SIGNED else "",
        encoding_method=method or ("OCMF" if is_ocmf else ""),
        public_key=key,
    )
