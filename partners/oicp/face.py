"""OICP as partners meet it: one ASGI application over the table of operations."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from hub.core.jsontypes import Tree
from hub.core.ports import Hub
from hub.core.registry import Partner
from partners.oicp.connections import Connection
from partners.oicp.operations import Operation


@dataclass(frozen=True, slots=True)
class Call:
    """One request, as a handler sees it: who asks what."""

    hub: Hub
    bridge: Any
    connection: Connection
    partner: Partner
    operation: Operation
    id: str
    """The operator or provider that asks, as it stands in the path; else in the body; "" where it stands in neither."""
    query: Mapping[str, str]
    message: Tree
    """The body as it came. That its id is the caller's is checked, nothing else."""


Handler: TypeAlias = Callable[[Call], Awaitable[Mapping[str, Any]]]
"""Answers one operation with its message. Raises: `answers.Refused`, any error of the hub, `answers.Malformed`."""
