"""Builds the guide into the package: `python -m guide`."""

import sys

from guide.site import BUILT, build
from guide.sources import ROOT

if __name__ == "__main__":
    sys.stdout.write(f"{build()} files in {BUILT.relative_to(ROOT)}\n")
