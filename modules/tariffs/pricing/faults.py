"""Why a price cannot be given. Each is the fault of the data, so none of them is worth a retry."""

from __future__ import annotations

from hub.core.errors import BusbarError


class PricingFault(BusbarError):
    """This cannot be priced."""


class UnknownTariff(PricingFault):
    """A charging period or a connector names a tariff that is not at hand."""


class NoTariffInForce(PricingFault):
    """None of the tariffs is in force at the start of the session."""


class SeveralCurrencies(PricingFault):
    """The tariffs that price a session are not in one currency, so that their amounts have no sum."""


class UnfitTariff(PricingFault):
    """The tariff cannot be read: a price, a time or a bound is not what the specification says."""


class UnfitSession(PricingFault):
    """The session or CDR cannot be read: a time, a volume or a zone is missing or makes no sense."""
