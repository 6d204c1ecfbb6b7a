"""The ids of OICP: read in every spelling that is met, compared in one, written as a partner wants them.

parties       OperatorID, ProviderID and the parties that they are
evses         EvseID, pools, and the ids that stand for them in OCPI
contracts     EvcoID with its check digit, the numbers of cards, SessionID
check_digits  the two ways to compute a check digit; dial_codes: the countries of DIN SPEC 91286
"""

from partners.oicp.ids.contracts import EvcoID, card_uid, folded_uid, is_session_id
from partners.oicp.ids.evses import EvseID, canonical_pool, fitting, from_path, in_path, pool_of, written
from partners.oicp.ids.faults import InvalidId, UnknownCountry
from partners.oicp.ids.parties import OperatorID, OperatorStyle, ProviderID, ProviderStyle

__all__ = [
    "EvcoID",
    "EvseID",
    "InvalidId",
    "OperatorID",
    "OperatorStyle",
    "ProviderID",
    "ProviderStyle",
    "UnknownCountry",
    "canonical_pool",
    "card_uid",
    "fitting",
    "folded_uid",
    "from_path",
    "in_path",
    "is_session_id",
    "pool_of",
    "written",
]
