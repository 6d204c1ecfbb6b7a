"""Who answers which operation: put together from the flows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from partners.oicp.face import Handler

HANDLERS: Final[Mapping[str, Handler]] = MappingProxyType({})
"""By name of the operation; one without a handler is answered that it is not offered."""
