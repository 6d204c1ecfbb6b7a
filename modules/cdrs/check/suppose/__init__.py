"""Supposing a mistake: each function here gives the amounts that a CDR has whose maker made one certain mistake.

A supposition is a small function from the right bill to one or several sets of amounts; its docstring says the mistake
in words that can be shown to the partner. `SUPPOSED` holds them in the order in which they are tried: cheap ones first,
and of two that give the same amounts the commoner or the narrower. A tax that is wrong with a limit looks like
any other rate, so limits go before taxes. Whoever meets a new mistake in the field adds a function.
"""

from modules.cdrs.check.suppose.coins import COINS
from modules.cdrs.check.suppose.elements import ELEMENTS
from modules.cdrs.check.suppose.fields import FIELDS
from modules.cdrs.check.suppose.limits import LIMITS
from modules.cdrs.check.suppose.quantities import QUANTITIES
from modules.cdrs.check.suppose.reservations import RESERVATIONS
from modules.cdrs.check.suppose.roundings import ROUNDINGS
from modules.cdrs.check.suppose.steps import STEPS
from modules.cdrs.check.suppose.sums import SUMS
from modules.cdrs.check.suppose.supposition import Supposition
from modules.cdrs.check.suppose.swapped import SWAPPED
from modules.cdrs.check.suppose.tariffs import TARIFFS
from modules.cdrs.check.suppose.taxes import TAXES
from modules.cdrs.check.suppose.times import TIMES
from modules.cdrs.check.suppose.zones import ZONES

SUPPOSED: tuple[Supposition, ...] = (
    *LIMITS,
    *TAXES,
    *RESERVATIONS,
    *FIELDS,
    *COINS,
    *STEPS,
    *TIMES,
    *SWAPPED,
    *ELEMENTS,
    *QUANTITIES,
    *ROUNDINGS,
    *TARIFFS,
    *ZONES,
    *SUMS,
)

__all__ = ["SUPPOSED", "Supposition"]
