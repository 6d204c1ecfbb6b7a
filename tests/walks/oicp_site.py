"""A hub whose partners speak OICP as well: an EMP and a CPO beside the eMSPs of each OCPI version, all over TLS."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from partners.sandbox.oicp.authority import Authority
from partners.sandbox.oicp.papers import Papers
from tests.ports import Port
from tests.walks.oicp_partners import OicpCpo, OicpEmp, OicpProcess
from tests.walks.site import PROCESSED, Emsp, Site, Tree

EMP_PARTY = "DE-DCB"
CPO_PARTY = "DE*ABC"
CONTRACT = "DE-DCB-C00000001-6"
PRICE = {
    "currency": "EUR",
    "tax_included": "NO",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.4, "vat": 19, "step_size": 1}]}],
}


@dataclass
class OicpSite:
    """All of it, running."""

    site: Site
    emp: OicpEmp
    cpo: OicpCpo
    port: Port

    @classmethod
    def open(cls, database_url: str, directory: Path) -> OicpSite:
        """Start the processes, register and connect everybody."""
        authority, port = Authority(directory / "papers"), Port()
        ours, emps, cpos = (authority.issue(name) for name in ("hub", "emp", "cpo"))
        settings = {
            "ask_unknown_tokens": "listless",
            "oicp_port": port.number,
            "oicp_certificate": ours.certificate,
            "oicp_key": ours.key,
            "oicp_client_ca": authority.root,
        }
        site = Site.open(database_url, directory, settings=settings)
        url = f"https://127.0.0.1:{port.number}"
        made = cls(
            site=site,
            emp=OicpEmp(EMP_PARTY, emps, directory, hub=url),
            cpo=OicpCpo(CPO_PARTY, cpos, directory, hub=url),
            port=port,
        )
        try:
            made._connect(authority, emps, cpos)
        except BaseException:
            made.close()
            raise
        return made

    def _connect(self, authority: Authority, emps: Papers, cpos: Papers) -> None:
        for process in (self.emp, self.cpo):
            process.start()
            process.wait()
        web = self.site.hub.web
        asked = web.ask("POST", "/api/v1/oicp/certificates", {"name": "ours", "common_name": "hub.example"})
        signed = authority.sign(asked["csr"])
        web.ask("PUT", "/api/v1/oicp/certificates/ours", {"certificate": signed})
        usual: Tree = {"client_certificate": "ours", "server_ca": authority.root.read_text()}
        usual |= {"prices": [{"id": "CONTRACT", **PRICE}]}
        for name, kind, process, papers, ids in (
            ("dcb", "emp", self.emp, emps, {"provider_ids": [EMP_PARTY]}),
            ("abc", "cpo", self.cpo, cpos, {"operator_ids": [CPO_PARTY]}),
        ):
            shown = {"kind": kind, "base_url": process.url, "certificates": [papers.certificate.read_text()]}
            web.ask("PUT", f"/api/v1/oicp/connections/{name}", {**usual, **shown, **ids})
        for party in ("DE*BSB", CPO_PARTY):
            web.ask("PATCH", f"/api/v1/oicp/operators/{party}", {"hotline": "+4930123456"})

    def close(self) -> None:
        """The end of all of it."""
        self.site.close()
        self.emp.close()
        self.cpo.close()
        self.port.release()

    def emsp(self, version: str) -> Emsp:
        """The eMSP of an OCPI version."""
        return self.site.emsps[version]

    def records(self, session: str = "") -> list[Tree]:
        """The charge detail records that the EMP processed, all or those of one session."""
        return [each for each in self._told(self.emp, "charge-detail-record") if session in ("", each["SessionID"])]

    def notifications(self, session: str) -> list[str]:
        """What the EMP was told of a charge, by kind."""
        told = self._told(self.emp, "charging-notifications")
        return [each["Type"] for each in told if each["SessionID"] == session]

    @staticmethod
    def _told(process: OicpProcess, path: str) -> list[Tree]:
        text = process.receipts.read_text() if process.receipts.exists() else ""
        receipts = [json.loads(line) for line in text.splitlines() if line.endswith("}")]
        return [json.loads(each["body"]) for each in receipts if path in each["path"] and each["outcome"] in PROCESSED]

    def nobody_complains(self) -> None:
        """Neither side of OICP saw anything that is not OICP."""
        assert (self.emp.complaints(), self.cpo.complaints()) == ([], [])
