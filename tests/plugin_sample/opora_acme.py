"""Acme Bank's own system, as an adapter of Opora: a folder that Acme's mainframe reads at night.

A sample of what a bank writes: it needs nothing of Opora's repository but the installed package.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from opora.core.documents.errors import CoreBankingRefused, CoreBankingUnavailable
from opora.core.documents.model.packets import BadReceipt, Consignment, Receipt, Verdict
from opora.core.documents.model.reconciliation import Holding, Register
from opora.core.documents.ports.banking import Content, CoreBanking


class AcmeCoreBanking(CoreBanking):
    """Papers by their digest, packets by their key, and what Acme answered by the name of the receipt."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def submit(self, consignment: Consignment, content: Content | None) -> str | None:
        """Keep the file first and the packet last; Acme accepts whatever it is given, at once."""
        if consignment.has_file and content is not None:
            await self._keep_paper(consignment, content)
        await self._do(self._take, consignment)
        return reference_of(consignment)

    async def _keep_paper(self, told: Consignment, content: Content) -> None:
        digest, parts = sha256(), list[bytes]()
        async for some in await content(0):  # Acme's papers are small; a large one would go to a file in parts
            digest.update(some)
            parts.append(some)
        if digest.hexdigest() != told.sha256:
            raise CoreBankingRefused("The file is not the one that was announced.")
        await self._do(self._write, f"papers/{told.sha256}", b"".join(parts))

    def _take(self, told: Consignment) -> None:
        held = self._read(f"held/{told.document_id:020d}") or {"version": 0, "sha256": None}
        if told.version > held["version"]:
            digest = told.sha256 if told.has_file else held["sha256"]
            fields = {"version": told.version, "status": str(told.status), "sha256": digest}
            self._write_json(f"held/{told.document_id:020d}", {"document_id": told.document_id, **fields})
        if not self._is_there(f"packets/{told.key}"):
            self._write_json(f"receipts/acme-{told.key}", {"packet": told.key, "reference": reference_of(told)})
            self._write_json(f"packets/{told.key}", {})

    async def receipts(self, limit: int) -> Sequence[Receipt | BadReceipt]:
        """Return what lies in the folder of receipts."""
        return await self._do(self._waiting, limit)

    def _waiting(self, limit: int) -> list[Receipt | BadReceipt]:
        found: list[Receipt | BadReceipt] = []
        for place in sorted((self._folder / "receipts").glob("acme-*"))[:limit]:
            try:
                fields = json.loads(place.read_bytes())
                receipt = Receipt(
                    id=place.name, packet=fields["packet"], verdict=Verdict.ACCEPTED, reference=fields["reference"]
                )
            except (ValueError, KeyError) as fault:
                found.append(BadReceipt(place.name, repr(fault)))
            else:
                found.append(receipt)
        return found

    async def settle(self, ids: Sequence[str]) -> None:
        """Move the receipts away."""
        for id in ids:
            await self._do(self._move, id, "settled")

    async def quarantine(self, id: str, reason: str) -> None:
        """Move the receipt aside, the reason beside it."""
        if await self._do(self._move, id, "quarantine"):
            await self._do(self._write, f"quarantine/{id}.reason", reason.encode())

    def _move(self, id: str, where: str) -> bool:
        place = self._folder / "receipts" / Path(id).name
        if not (id.startswith("acme-") and place.is_file()):
            return False
        (self._folder / where).mkdir(exist_ok=True)
        place.rename(self._folder / where / place.name)
        return True

    async def register(self) -> Register:
        """Return what is held; the names of the files sort as the documents do."""
        return Register(datetime.now(UTC), self._holdings())

    async def _holdings(self) -> AsyncIterator[Holding]:
        for place in await self._do(lambda: sorted((self._folder / "held").glob("*"))):
            yield Holding(**await self._do(self._read, f"held/{place.name}"))

    async def check(self) -> str:
        """Look whether the folder is there."""
        await self._do(self._folder.stat)
        return f"Acme's folder {self._folder.name}"

    def _is_there(self, name: str) -> bool:
        return (self._folder / name).exists()

    def _read(self, name: str) -> Any:
        place = self._folder / name
        return json.loads(place.read_bytes()) if place.exists() else None

    def _write_json(self, name: str, fields: Mapping[str, object]) -> None:
        self._write(name, json.dumps(fields).encode())

    def _write(self, name: str, content: bytes) -> None:
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.parent / f".{place.name}"
        part.write_bytes(content)
        part.replace(place)

    async def _do[T](self, work: Callable[..., T], *args: object) -> T:
        try:
            return await asyncio.to_thread(work, *args)
        except OSError as error:
            raise CoreBankingUnavailable from error


def reference_of(told: Consignment) -> str:
    """Return Acme's name of a document."""
    return f"ACME/{told.document_id}"


def build(config: Mapping[str, str]) -> CoreBanking:
    """Build the adapter from `OPORA_CORE_BANKING_FOLDER`."""
    folder = Path(config["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    return AcmeCoreBanking(folder)
