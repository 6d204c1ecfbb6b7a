"""OICP partners as processes of their own, with their papers, for walks."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from partners.sandbox.oicp.papers import Papers
from tests.ports import Port
from tests.walks.processes import Process, Web, until_ready


class OicpProcess:
    """A sandbox partner of OICP. Its ports stay its own over a restart, and its receipts are in a file."""

    kind: ClassVar[str]
    base: ClassVar[str] = "/oicp"

    def __init__(self, party: str, papers: Papers, directory: Path, **given: object) -> None:
        """`given`: what else the command line takes, as `hub=...`."""
        self.party, self.papers = party, papers
        self._ports = (Port(), Port())
        self.port, self.admin_port = (each.number for each in self._ports)
        name = party.replace("*", "-").lower()
        self.receipts = directory / f"{self.kind}-{name}.receipts"
        words: dict[str, Any] = {"party": party, "port": self.port, "admin-port": self.admin_port}
        words |= {"ca": papers.root, "certificate": papers.certificate, "key": papers.key, "receipts": self.receipts}
        words |= {option.replace("_", "-"): value for option, value in given.items()}
        command = ["partners.sandbox", self.kind, *(f"--{option}={value}" for option, value in words.items())]
        self.process = Process(command, {}, directory / f"{self.kind}-{name}.log")
        self.web = Web(f"http://127.0.0.1:{self.admin_port}")

    @property
    def url(self) -> str:
        """What OICP's paths are appended to."""
        return f"https://127.0.0.1:{self.port}{self.base}"

    def start(self) -> None:
        """Start it; `wait` for it before use."""
        self.process.start()

    def wait(self) -> None:
        """Until it answers."""
        until_ready(self.process, lambda: self.web.answer("GET", "/sandbox/state")[0] == 200)

    def do(self, name: str, **body: object) -> Any:
        """What the admin routes offer under POST."""
        return self.web.ask("POST", f"/sandbox/{name}", body)

    def complaints(self) -> list[str]:
        """What it did not like."""
        return [f"{each['where']}: {each['what']}" for each in self.web.ask("GET", "/sandbox/complaints")]

    def close(self) -> None:
        """The end, at once."""
        self.process.kill()
        self.web.close()
        for port in self._ports:
            port.release()


class OicpEmp(OicpProcess):
    """A partner that sells charging."""

    kind = "oicp-emp"


class OicpCpo(OicpProcess):
    """A partner that has chargers."""

    kind = "oicp-cpo"


class OicpHub(OicpProcess):
    """A hub that we connect to."""

    kind = "oicp-hub"
    base = "/api/oicp"

    def join(self, role: str, party: str, papers: Papers, **rest: object) -> None:
        """Somebody becomes its member."""
        self.do("members", role=role, party=party, certificate=papers.certificate.read_text(), **rest)
