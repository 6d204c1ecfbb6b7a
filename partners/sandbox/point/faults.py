"""What goes wrong with charge points in the field, to be switched on one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Faults:
    """Each is the habit of a real product. Without any, every frame is valid by the 1.6 schemas."""

    duplicate_start: bool = False
    """StartTransaction is sent twice with different message ids."""
    stop_before_start: bool = False
    """The StopTransaction of a charge overtakes its StartTransaction."""
    clock_1970: bool = False
    """The clock was never set and began at the epoch."""
    kwh_units: bool = False
    """Energy is reported in kWh and power in kW."""
    ignores_limits: bool = False
    """Charging profiles are accepted, and the car charges as if there were none."""
    forgets_limits: bool = False
    """Charging profiles are accepted and not kept: the schedule that it shows has none of them."""
    invalid_fields: bool = False
    """Meter values as JSON numbers (2.x: as text), an unknown errorCode, a serial number that is too long."""
    useless_numbers: bool = False
    """Every event of a transaction has the seqNo 0 (2.x)."""

    @classmethod
    def named(cls, names: list[str]) -> Faults:
        """From a command line: `duplicate-start`, ... Raises ValueError."""
        known = {field.name.replace("_", "-"): field.name for field in fields(cls)}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(f"no such fault: {', '.join(unknown)}; there are {', '.join(known)}")
        return cls(**{known[name]: True for name in names})
