"""The bridge put together: what answers OICP's operations, what speaks OICP for the hub, and the work behind both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from hub.core.dispatch import Dispatcher
from hub.core.ports import Hub
from hub.core.units import Kind
from partners.oicp.acknowledged import OICP_ACKNOWLEDGED, OICP_PUSHES
from partners.oicp.asking import Asking
from partners.oicp.authorize import Authorizing
from partners.oicp.bridge import Bridge
from partners.oicp.card_pushes import CardPushes
from partners.oicp.card_tokens import CardTokens
from partners.oicp.cards import OICP_CARDS, OICP_PIN_COSTS
from partners.oicp.carrying import Carrying
from partners.oicp.client import Client
from partners.oicp.connections import OICP_PULLS, OICP_RELEASED, Connections
from partners.oicp.evse_follower import EvseFollower
from partners.oicp.evse_intake import OICP_PROJECTIONS, EvseIntake
from partners.oicp.evse_lists import EvseLists
from partners.oicp.evse_projection import EvseProjection
from partners.oicp.evse_pull import EvsePull
from partners.oicp.evse_push import EvsePush
from partners.oicp.evse_pushes import EvsePushes
from partners.oicp.evse_table import OICP_EVSES, OICP_STATES, EvseTable
from partners.oicp.exchanges import Exchanges
from partners.oicp.face import Handler
from partners.oicp.findings import OICP_FINDINGS
from partners.oicp.former_prices import OICP_FORMER_PRICES
from partners.oicp.inward import Inward
from partners.oicp.ledger import OICP_SESSIONS, Ledger
from partners.oicp.notifications import Notifications
from partners.oicp.offered_prices import OfferedPrices
from partners.oicp.operators import OICP_OPERATORS, Operators
from partners.oicp.ordering import Ordering
from partners.oicp.peers import OicpPeers
from partners.oicp.pin_tries import OICP_PIN_TRIES
from partners.oicp.price_lists import PriceLists
from partners.oicp.price_pull import PricePull
from partners.oicp.price_pushes import PricePushes
from partners.oicp.price_tariffs import PriceTariffs
from partners.oicp.prices import OICP_PRICES, Prices
from partners.oicp.record_lists import RecordLists
from partners.oicp.record_pull import RecordPull
from partners.oicp.record_rounds import RecordRounds
from partners.oicp.record_store import OICP_RECORDS
from partners.oicp.records import Records
from partners.oicp.serving import Serving
from partners.oicp.set_push import OICP_HELD, OICP_SETS
from partners.oicp.status_lists import StatusLists
from partners.oicp.status_pull import StatusPull
from partners.oicp.understood import reading
from partners.oicp.unused import UnusedSessions

OICP_KINDS: Final[tuple[Kind, ...]] = (
    *(OICP_SESSIONS, OICP_RECORDS, OICP_PIN_COSTS, OICP_PIN_TRIES),
    *(OICP_EVSES, OICP_STATES, OICP_PROJECTIONS, OICP_OPERATORS, OICP_FINDINGS),
    *(OICP_ACKNOWLEDGED, OICP_PUSHES, OICP_PULLS, OICP_RELEASED, OICP_SETS, OICP_HELD),
    *(OICP_CARDS, OICP_PRICES, OICP_FORMER_PRICES),
)


class Oicp:
    """All of OICP, as `hub/app.py` joins it to the hub."""

    def __init__(self, hub: Hub, dispatcher: Dispatcher, connections: Connections, client: Client) -> None:
        self.hub = hub
        self.connections = connections
        self.table = EvseTable(hub)
        self.bridge = Bridge(
            hub=hub,
            connections=connections,
            client=client,
            inward=Inward(dispatcher),
            ledger=Ledger(hub),
            places=self.table,
        )
        self.operators = Operators(hub)
        self.follower = EvseFollower(hub, connections, self.operators)
        self.projection = EvseProjection(hub, connections, self.table)
        self.intake = EvseIntake(hub)
        for told in (self.follower.on_written, self.intake.on_written):
            told(self.projection.wake)
        self.evse_pushes = EvsePushes(hub, self.intake)
        self.evse_lists = EvseLists(hub)
        self.status_lists = StatusLists(hub, self.table, self.evse_lists)
        self.evse_pull = EvsePull(self.bridge, self.table, self.intake)
        self.status_pull = StatusPull(self.bridge, self.intake, self.evse_pull)
        self.evse_push = EvsePush(self.bridge, self.table, self.operators)
        for told in (self.follower.on_written, self.intake.on_written):
            told(self.evse_push.wake)
        prices = Prices(hub)
        self.price_tariffs = PriceTariffs(hub, connections, prices)
        self.price_tariffs.on_locations = self.projection.wake
        self.projection.tariff_ids = self.price_tariffs.tariff_ids
        self.price_pushes = PricePushes(hub, prices)
        self.price_pushes.on_written(self.price_tariffs.wake)
        self.exchanges = Exchanges(self.bridge, PricePull(self.bridge, self.price_pushes), self.operators)
        self.price_lists = PriceLists(hub, prices, OfferedPrices(hub, self.operators))
        self.card_pushes = CardPushes(hub, self.bridge.cards)
        self.card_tokens = CardTokens(hub, self.bridge.cards)
        self.card_pushes.on_written(self.card_tokens.wake)
        self.authorizing = Authorizing(self.bridge)
        self.ordering = Ordering(self.bridge)
        carrying = Carrying(self.bridge)
        self.serving = Serving(self.bridge, carrying)
        self.notifications = Notifications(self.bridge, self.ordering)
        self.records = Records(self.bridge, self.notifications)
        self.serving.on_released = self.records.released
        self.record_rounds = RecordRounds(hub, self.records)
        self.record_lists = RecordLists(hub)
        self.record_pull = RecordPull(self.bridge, self.records)
        self.unused = UnusedSessions(self.bridge, self.notifications)
        self.peers = OicpPeers(Asking(self.bridge), self.ordering, carrying, self.notifications, self.records)

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Who answers which operation, by its name."""
        flows: Mapping[str, Handler] = {
            "AuthorizeStart": self.authorizing.start,
            "AuthorizeStop": self.authorizing.stop,
            "AuthorizeRemoteStart": self.serving.remote_start,
            "AuthorizeRemoteStop": self.serving.remote_stop,
            "AuthorizeRemoteReservationStart": self.serving.reservation_start,
            "AuthorizeRemoteReservationStop": self.serving.reservation_stop,
            "ChargingNotification": self.notifications.hear,
            "ChargeDetailRecord": self.records.take,
            "GetChargeDetailRecords": self.record_lists.records,
            "PullPricingProductData": self.price_lists.products,
            "PullEVSEPricing": self.price_lists.evses,
            "PullEvseData": self.evse_lists.data,
            "PullEvseStatus": self.status_lists.all,
            "PullEvseStatusByID": self.status_lists.by_id,
            "PullEvseStatusByOperatorID": self.status_lists.by_operator,
        }
        whole: Mapping[str, Handler] = {
            "PushEvseData": self.evse_pushes.data,
            "PushEvseStatus": self.evse_pushes.status,
            "PushPricingProductData": self.price_pushes.products,
            "PushEVSEPricing": self.price_pushes.evses,
            "PushAuthenticationData": self.card_pushes.push,
        }
        return {**whole, **{name: reading(name, handler) for name, handler in flows.items()}}

    def start(self) -> None:
        """Begin the work that runs without being asked."""
        self.hub.background.start(self.record_rounds.run(), name="oicp records")
        self.hub.background.start(self.unused.run(), name="oicp sessions")
        self.hub.background.start(self.follower.run(), name="oicp evses")
        self.hub.background.start(self.projection.run(), name="oicp locations")
        self.hub.background.start(self.evse_push.run(), name="oicp pushes")
        self.hub.background.start(self.evse_pull.run(), name="oicp pulls")
        self.hub.background.start(self.status_pull.run(), name="oicp status pulls")
        self.hub.background.start(self.price_tariffs.run(), name="oicp prices")
        self.hub.background.start(self.exchanges.run(), name="oicp cards and prices")
        self.hub.background.start(self.card_tokens.run(), name="oicp cards")
        self.hub.background.start(self.record_pull.run(), name="oicp records compared")
