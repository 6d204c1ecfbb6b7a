"""What cannot be said in the other protocol, by the name that the messages have for it too."""

from partners.oicp.wire.faults import NotSayable

__all__ = ["NotSayable"]
