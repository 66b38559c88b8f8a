"""Builds the guide whenever the package is built: into a wheel, or into a checkout that is installed in place."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class GuideHook(BuildHookInterface[Any]):
    """Hatchling's way to let a project make files of its own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # the words of the interface
        """Build the guide before files are gathered."""
        sys.path.insert(0, str(Path(self.root) / "docs"))
        from guide.site import build  # noqa: PLC0415  # the project is on the path only now

        build()
