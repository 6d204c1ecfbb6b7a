"""The messages of OICP 2.3.

    read(model, message)   whatever a partner sent, as a tree in OICP's own spelling, with findings. Raises: Unfit
    write(model, tree)     a tree as a message that is strictly OICP's. Raises: NotSayable
    REQUESTS, ANSWERS      the models of each operation, by its name without "eRoaming"

Trees are plain: dict, list, text, int, Decimal, bool. Times stay text, with the offset they came with. The models say
what is mandatory when we write, how long texts may be, and in which order fields stand; `kinds` says how each value is
read, and `reading` what happens to one that cannot be.
"""

from collections.abc import Mapping
from typing import Final

from partners.oicp.wire import authentication_data, cdrs, charging, evse_data, evse_status, notifications, pricing
from partners.oicp.wire.common import Acknowledgement, IdentificationType, StatusCodeType
from partners.oicp.wire.faults import Finding, NotSayable, Unfit
from partners.oicp.wire.message import Message
from partners.oicp.wire.notifications import read_notification
from partners.oicp.wire.reading import Read, read
from partners.oicp.wire.writing import write

REQUESTS: Final[Mapping[str, type[Message]]] = {
    "PushEvseData": evse_data.PushEvseData,
    "PushEvseStatus": evse_status.PushEvseStatus,
    "AuthorizeStart": charging.AuthorizeStart,
    "AuthorizeStop": charging.AuthorizeStop,
    "ChargeDetailRecord": cdrs.ChargeDetailRecord,
    "ChargingNotification": notifications.ChargingNotification,
    "PushPricingProductData": pricing.PushPricingProductData,
    "PushEVSEPricing": pricing.PushEVSEPricing,
    "PullAuthenticationData": authentication_data.PullAuthenticationData,
    "PullEvseData": evse_data.PullEvseData,
    "PullEvseStatus": evse_status.PullEvseStatus,
    "PullEvseStatusByID": evse_status.PullEvseStatusByID,
    "PullEvseStatusByOperatorID": evse_status.PullEvseStatusByOperatorID,
    "AuthorizeRemoteStart": charging.AuthorizeRemoteStart,
    "AuthorizeRemoteStop": charging.AuthorizeRemoteStop,
    "AuthorizeRemoteReservationStart": charging.AuthorizeRemoteReservationStart,
    "AuthorizeRemoteReservationStop": charging.AuthorizeRemoteReservationStop,
    "GetChargeDetailRecords": cdrs.GetChargeDetailRecords,
    "PushAuthenticationData": authentication_data.PushAuthenticationData,
    "PullPricingProductData": pricing.PullPricingProductData,
    "PullEVSEPricing": pricing.PullEVSEPricing,
}
"""What is sent. A ChargingNotification is one of four by its Type: see `read_notification`."""

ANSWERS: Final[Mapping[str, type[Message]]] = {
    **dict.fromkeys(REQUESTS, Acknowledgement),
    "AuthorizeStart": charging.AuthorizationStart,
    "AuthorizeStop": charging.AuthorizationStop,
    "PullAuthenticationData": authentication_data.AuthenticationData,
    "PullEvseData": evse_data.EvseData,
    "PullEvseStatus": evse_status.EvseStatusAnswer,
    "PullEvseStatusByID": evse_status.EvseStatusByIDAnswer,
    "PullEvseStatusByOperatorID": evse_status.EvseStatusAnswer,
    "GetChargeDetailRecords": cdrs.ChargeDetailRecords,
    "PullPricingProductData": pricing.PricingProductDataAnswer,
    "PullEVSEPricing": pricing.EVSEPricingAnswer,
}
"""What comes back."""

__all__ = [
    "ANSWERS",
    "REQUESTS",
    "Acknowledgement",
    "Finding",
    "IdentificationType",
    "Message",
    "NotSayable",
    "Read",
    "StatusCodeType",
    "Unfit",
    "read",
    "read_notification",
    "write",
]
