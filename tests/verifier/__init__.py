"""A second reading of how OCPI prices a session, written apart from the engine's, to judge its receipts by.

    recompute(case, policy)        the whole receipt, as data, from the case alone
    refuse(receipt, case, policy)  what in a receipt is not as it should be, each by its place; empty: sound

It is made to be read and believed, not to be fast: every number is a `Fraction`, nothing is prepared or
remembered, and each file follows one paragraph of the text:

    numbers   exact numbers and how they are written          clock     instants, and the clock on the wall
    case      what is given: tariffs, periods, the policy     choice    which tariff prices a period
    active    which component prices a dimension, and when    walk      the lines, in order of time
    changes   does the price change inside a period?          steps     step_size
    taxes     net, gross, and sums of them                    limits    min_price and max_price
    figures   rounding                                        notices   what is worth saying
    place     where it was, in words

Nothing here imports the product. A case is a mapping with the keys `version`, `time_zone`, `tariffs` (in the
form of OCPI 2.3.0), `start`, `end`, `periods`, and if need be `reservation_expired`, `tariff_type`, `currency`, and the
`cdr_location` of a CDR whose stored receipt is judged.
"""

from tests.verifier.case import BY_THE_TEXT, Refused
from tests.verifier.recompute import recompute
from tests.verifier.refuse import refuse

__all__ = ["BY_THE_TEXT", "Refused", "recompute", "refuse"]
