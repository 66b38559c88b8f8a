"""Plans out to a file and in again."""

import json
from pathlib import Path

from cli.conftest import Opora
from opora.cli.exits import Exit


def test_prices_are_changed_by_a_file_and_what_was_there_is_kept(
    opora: Opora, installation: Path, tmp_path: Path
) -> None:
    assert opora("db", "upgrade").code == 0
    sent = opora("plans", "export")
    told = json.loads(sent.out)
    assert [one["code"] for one in told["plans"]] == ["free", "standard", "premium"]
    assert opora("plans", "export", "--json").json == told
    file = tmp_path / "plans.json"
    file.write_text(sent.out)
    assert opora("plans", "import", "plans.json").out.strip() == "Nothing has changed."
    told["plans"][1]["price_minor"] = 59_000
    del told["plans"][2]
    file.write_text(json.dumps(told))
    done = opora("plans", "import", "plans.json", "--json")
    assert done.json == {"added": {"standard": 2}, "offered": [], "withdrawn": ["premium"]}
    file.write_text(sent.out)
    lines = opora("plans", "import", "plans.json").out.splitlines()
    assert lines == ["standard: version 3 is on offer.", "premium: on offer again."]


def test_plans_that_do_not_fit_are_refused_whole(opora: Opora, installation: Path, tmp_path: Path) -> None:
    assert opora("db", "upgrade").code == 0
    told = opora("plans", "export", "--json").json
    told["plans"][1]["price_minor"] = -1
    (tmp_path / "plans.json").write_text(json.dumps(told))
    refused = opora("plans", "import", "plans.json")
    assert (refused.code, "plans.1.price_minor" in refused.err) == (Exit.DATA, True)
    (tmp_path / "plans.json").write_text('{"plans": [{"code": 5}]}')
    assert opora("plans", "import", "plans.json").code == Exit.DATA
    assert opora("plans", "import", "none.json").code == Exit.NO_INPUT
