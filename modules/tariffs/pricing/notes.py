"""What is worth knowing about a price that was given all the same."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Code(StrEnum):
    """The kinds of warning."""

    NO_TARIFF = "no_tariff"
    SEVERAL_TARIFFS_FIT = "several_tariffs_fit"
    PERIOD_SPANS_A_PRICE_CHANGE = "period_spans_a_price_change"
    UNPRICED_QUANTITY = "unpriced_quantity"
    MISSING_MEASUREMENT = "missing_measurement"
    MISSING_DIMENSION = "missing_dimension"
    PERIOD_OUTSIDE_THE_SESSION = "period_outside_the_session"
    PERIODS_OUT_OF_ORDER = "periods_out_of_order"
    PERIODS_START_TOGETHER = "periods_start_together"
    TARIFF_OUTSIDE_ITS_VALIDITY = "tariff_outside_its_validity"
    PERIOD_WITHOUT_TARIFF = "period_without_tariff"
    PRICE_LIMIT_APPLIED = "price_limit_applied"
    AFTER_TAX_LIMIT_MISSING = "after_tax_limit_missing"
    TAX_INCLUDED_MISSING = "tax_included_missing"
    TAX_RATE_UNKNOWN = "tax_rate_unknown"
    TAX_NOT_SPLITTABLE = "tax_not_splittable"
    TAX_RATE_IGNORED = "tax_rate_ignored"
    VOLUME_DISAGREES_WITH_TIMESTAMPS = "volume_disagrees_with_timestamps"
    RESERVED_AND_CONSUMED_TOGETHER = "reserved_and_consumed_together"
    NEGATIVE_ENERGY = "negative_energy"
    RESTRICTION_NOT_UNDERSTOOD = "restriction_not_understood"
    DUPLICATE_COMPONENT = "duplicate_component"
    METER_RUNS_BACKWARDS = "meter_runs_backwards"
    SINGLE_METER_READING = "single_meter_reading"
    METER_READ_OUTSIDE = "meter_read_outside"
    RESERVATION_TAKEN_FOR_CANCELLED = "reservation_taken_for_cancelled"


class Warned(NamedTuple):
    """One warning; `period` is the index of the period as it was given, None for the whole session.

    subject: what it is about: a dimension, the id of a tariff, the name of a field; empty, if the code says it all.
    """

    code: Code
    period: int | None = None
    subject: str = ""
