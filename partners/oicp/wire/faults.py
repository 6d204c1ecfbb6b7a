"""What is odd or wrong with a message, and what cannot be said in one."""

from __future__ import annotations

from typing import NamedTuple

from hub.core.dialect import NotExpressible
from hub.core.errors import InvalidRequest


class Finding(NamedTuple):
    """Something in a message that is not as OICP has it: where (JSON pointer), and what. Never holds the value.

    `is_dropped`: it could not be read at all, and what was read does without it.
    """

    pointer: str
    problem: str
    is_dropped: bool = False


class Unfit(InvalidRequest):
    """A message lacks what it cannot do without. `faults` names every such field."""

    def __init__(self, faults: tuple[Finding, ...]) -> None:
        super().__init__("; ".join(f"{fault.pointer or 'the message'}: {fault.problem}" for fault in faults))
        self.faults = faults


class NotSayable(NotExpressible):
    """OICP has no words for this, or what it would say is something else."""
