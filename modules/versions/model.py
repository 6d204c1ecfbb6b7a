"""Which versions and endpoints a platform offers, in our own form (version_information_endpoint)."""

from __future__ import annotations

from typing import Annotated, Literal

from hub.core.types import OcpiModel, Some, Url
from hub.core.types.markers import Closed, OpenEnum

VersionNumber = Annotated[str, OpenEnum("VersionNumber", ("2.0", "2.1", "2.1.1", "2.2", "2.2.1", "2.3.0"))]
"""version_information_endpoint_versionnumber_enum"""
InterfaceRole = Annotated[Literal["SENDER", "RECEIVER"], Closed("InterfaceRole")]
"""version_information_endpoint_interface_role_enum"""
ModuleID = Annotated[
    str,
    OpenEnum(
        "ModuleID",
        (
            *("cdrs", "chargingprofiles", "commands", "credentials", "hubclientinfo", "invoicereconciliation"),
            *("locations", "sessions", "tariffs", "tokens"),
        ),
    ),
]
"""version_information_endpoint_moduleid_enum. Other ids are modules of a party's own."""


class Version(OcpiModel):
    """A version and where its details are. version_information_endpoint_version_class."""

    version: VersionNumber
    url: Url


class Endpoint(OcpiModel):
    """Where a module is; SENDER owns the data. version_information_endpoint_endpoint_class."""

    identifier: ModuleID
    role: InterfaceRole
    url: Url


class VersionDetails(OcpiModel):
    """The endpoints of one version. version_information_endpoint_details_data."""

    version: VersionNumber
    endpoints: Some[Endpoint]
