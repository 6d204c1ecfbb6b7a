"""What a session costs: exact, by the text of OCPI, with a receipt. A published decision of the tariffs
module.

    price(case)            choose -> walk -> steps -> totals -> limits -> round once
    receipt_of(priced)     line by line, exact; `page_of` shows it to a driver; `given_back` is that of a credit
    compile_tariff(tree)   a tariff made ready; `price` takes it in place of the tree; `at_hand` keeps some
    cut_instants, cuts_of  where whoever makes charging periods has to begin a new one

Where the text is silent or contradicts itself, the reading is told where it is taken, and `policy` names
the switches.
"""

from modules.tariffs.pricing.at_hand import at_hand
from modules.tariffs.pricing.choice import in_force, rivals
from modules.tariffs.pricing.compile import Compiled, compile_tariff
from modules.tariffs.pricing.cuts import Cuts, active_components, cut_instants, cuts_of
from modules.tariffs.pricing.faults import (
    NoTariffInForce,
    PricingFault,
    SeveralCurrencies,
    UnfitSession,
    UnfitTariff,
    UnknownTariff,
)
from modules.tariffs.pricing.given_back import given_back
from modules.tariffs.pricing.money import Money, TaxLine
from modules.tariffs.pricing.notes import Code, Warned
from modules.tariffs.pricing.numbers import HOUR, KWH, Exact, in_units, rounded
from modules.tariffs.pricing.page import page_of
from modules.tariffs.pricing.periods import Case, has_expired
from modules.tariffs.pricing.policy import BY_THE_TEXT, Policy
from modules.tariffs.pricing.price import Billed, Priced, free, price
from modules.tariffs.pricing.receipt import receipt_of
from modules.tariffs.pricing.times import instant, moment_of

__all__ = [
    "BY_THE_TEXT",
    "HOUR",
    "KWH",
    "Billed",
    "Case",
    "Code",
    "Compiled",
    "Cuts",
    "Exact",
    "Money",
    "NoTariffInForce",
    "Policy",
    "Priced",
    "PricingFault",
    "SeveralCurrencies",
    "TaxLine",
    "UnfitSession",
    "UnfitTariff",
    "UnknownTariff",
    "Warned",
    "active_components",
    "at_hand",
    "compile_tariff",
    "cut_instants",
    "cuts_of",
    "free",
    "given_back",
    "has_expired",
    "in_force",
    "in_units",
    "instant",
    "moment_of",
    "page_of",
    "price",
    "receipt_of",
    "rivals",
    "rounded",
]
