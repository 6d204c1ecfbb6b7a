"""Where rules begin to hold, as the operator set them."""

from __future__ import annotations

from hub.core.settings import Settings
from partners.ocpp.watch.rules import Thresholds


def thresholds_of(settings: Settings) -> Thresholds:
    """What stands in no setting is as `Thresholds` has it."""
    return Thresholds(
        offline_s=settings.alert_offline_s,
        faulted_s=settings.alert_faulted_s,
        no_progress_s=settings.alert_no_progress_s,
        stuck_s=settings.alert_stuck_s,
        clock_s=settings.alert_clock_s,
        held_s=settings.alert_held_s,
        lane_s=settings.alert_lane_s,
        commissioning_s=settings.alert_commissioning_s,
        certificate_s=settings.alert_certificate_days * 86_400.0,
        clear_s=settings.alert_clear_s,
    )
