"""`make migration NAME=add_labels` starts the next migration; its content is written by hand."""

import re
import sys

from alembic import command
from alembic.script import ScriptDirectory

from opora.adapters.sql.migrations import configured


def main(name: str) -> str:
    """Write the file and return its path; refuse a name that is no plain snake case."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{2,39}", name):
        return "name it in snake case: make migration NAME=add_labels"
    config = configured("sqlite://")
    head = ScriptDirectory.from_config(config).get_current_head() or "0000"
    made = command.revision(config, name.replace("_", " "), rev_id=f"{int(head) + 1:04d}")
    return "" if made else "nothing was written"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else "") or 0)
