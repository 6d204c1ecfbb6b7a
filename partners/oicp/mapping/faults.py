"""What the other protocol has no words for."""

from __future__ import annotations


class NotSayable(Exception):
    """It must not be sent at all: what would arrive would be another thing. `reason` is for the operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
