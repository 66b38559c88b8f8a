"""A bank behind an SFTP drop, as the drop wants it: reads manifests, checks digests, writes receipts."""

import json
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any


class PlayedBank:
    """The bank's side of a folder with `in`, `out` and `registers`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seen: set[str] = set()
        self.holdings: dict[int, dict[str, Any]] = {}
        self.registers = 0
        self.receipts = 0
        for name in ("in", "out", "registers"):
            (folder / name).mkdir(parents=True)

    def answer(self) -> None:
        """Take every packet that a manifest tells of, once a key; then drop a register."""
        for manifest in sorted(self.folder.glob("in/*.json")):
            told = json.loads(manifest.read_bytes())
            if told["key"] not in self.seen:
                self.take(told)
            manifest.unlink()
        self.drop_register()

    def take(self, told: dict[str, Any]) -> None:
        """Check one packet and answer it."""
        self.seen.add(told["key"])
        file = told["file"]
        spoiled = file is not None and self.digest(file["name"]) != file["sha256"]
        if not spoiled:
            before = self.holdings.get(told["document_id"], {"version": 0, "sha256": None})
            if told["version"] > before["version"]:
                digest = file["sha256"] if file else before["sha256"]
                self.holdings[told["document_id"]] = {
                    "document_id": told["document_id"],
                    "version": told["version"],
                    "status": told["status"],
                    "sha256": digest,
                }
        if spoiled:
            self.seen.remove(told["key"])  # it may come again, and is then judged anew
        self.receipts += 1
        self.write_receipt(
            f"r-{told['key']}-{self.receipts}",
            packet=told["key"],
            verdict="rejected" if spoiled else "accepted",
            reference=f"BANK/{told['document_id']}",
            reason="the file is spoiled" if spoiled else None,
        )

    def digest(self, name: str) -> str:
        """Return the digest of a file that came in, and put the file away."""
        file = self.folder / "in" / name
        found = sha256(file.read_bytes()).hexdigest()
        file.unlink()
        return found

    def write_receipt(self, id: str, file_name: str = "", **fields: object) -> Path:
        """Write a receipt as banks do: under another name first."""
        return self.drop(f"out/{file_name or id}.json", json.dumps({"id": id, **fields}).encode())

    def drop_register(self) -> None:
        """Drop a register and what vouches for it."""
        lines = b"".join(json.dumps(self.holdings[id]).encode() + b"\n" for id in sorted(self.holdings))
        self.registers += 1
        name = f"registers/register-{self.registers:06d}.ndjson"
        self.drop(name, lines)
        vouching = {"as_of": datetime.now(UTC).isoformat(), "sha256": sha256(lines).hexdigest()}
        self.drop(f"{name}.ok", json.dumps(vouching).encode())

    def drop(self, name: str, content: bytes) -> Path:
        """Write a file whole."""
        place = self.folder / name
        part = place.with_name(place.name + ".part")
        part.write_bytes(content)
        part.rename(place)
        return place
