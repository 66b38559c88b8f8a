"""The front of the command line: what is found, how quickly, and how it ends when it is not."""

import json
import subprocess
import sys

import pytest

import opora as package
from cli.conftest import SOURCES, Opora
from opora.cli import entry
from opora.cli.exits import MEANINGS, CommandFailed, Exit, failure
from opora.core.kernel import errors


def test_the_version_is_printed(opora: Opora, opora_process: Opora) -> None:
    assert opora_process("--version").out == f"opora {package.__version__}\n"
    assert opora("--version", "--json").json == {"version": package.__version__}


def test_the_version_and_the_help_import_no_framework() -> None:
    heavy = {"litestar", "sqlalchemy", "alembic", "msgspec", "dishka", "taskiq", "redis", "rich", "asyncio"}
    code = f"import sys; from opora.cli.entry import main; main(['--help']); print({heavy} & set(sys.modules))"
    env = {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize("arguments", [(), ("--help",), ("-h",), ("help",)])
def test_the_front_page_names_every_command(opora: Opora, arguments: tuple[str, ...]) -> None:
    shown = opora(*arguments)
    assert shown.code == Exit.OK
    assert all(f"\n  {first} " in shown.out for first in entry.GROUPS)


def test_each_command_has_a_page(opora: Opora) -> None:
    shown = opora("config", "show", "--help")
    assert shown.code == Exit.OK
    assert "--json" in shown.out
    assert opora("help", "config").out.startswith("usage: opora config")


def test_an_unknown_command_is_refused_with_the_nearest(opora: Opora) -> None:
    ended = opora("confg", "show")
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "Did you mean `opora config`?" in ended.err
    assert "--help" in opora("zzz").err


@pytest.mark.parametrize(
    "arguments", [("config",), ("config", "shw"), ("config", "show", "--colour"), ("db", "downgrade")]
)
def test_a_command_written_wrongly_ends_with_64_and_where_to_look(opora: Opora, arguments: tuple[str, ...]) -> None:
    ended = opora(*arguments)
    assert (ended.code, ended.out) == (Exit.USAGE, "")
    assert "--help" in ended.err


def test_what_goes_wrong_is_told_in_json_too(opora: Opora) -> None:
    ended = opora("config", "shw", "--json")
    assert json.loads(ended.err)["error"]["exit_code"] == Exit.USAGE


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (errors.NotFound(), Exit.NO_INPUT),
        (errors.Invalid(errors={"label": ["too long"]}), Exit.DATA),
        (errors.Conflict("no"), Exit.DATA),
        (errors.Stale(), Exit.TEMPORARY),
        (errors.LimitExceeded(), Exit.TEMPORARY),
        (errors.PermissionDenied(), Exit.NO_PERMISSION),
        (errors.DatabaseUnavailable(), Exit.UNAVAILABLE),
        (PermissionError("no"), Exit.NO_PERMISSION),
        (FileNotFoundError("no"), Exit.NO_INPUT),
        (FileExistsError("yes"), Exit.CANNOT_CREATE),
        (ConnectionRefusedError("no"), Exit.UNAVAILABLE),
        (OSError("disk"), Exit.INPUT_OUTPUT),
        (ZeroDivisionError("0"), Exit.SOFTWARE),
        (CommandFailed(Exit.CONFIG, "so"), Exit.CONFIG),
    ],
)
def test_each_kind_of_fault_has_its_code(fault: Exception, code: Exit) -> None:
    assert failure(fault).exit_code is code
    assert code in MEANINGS


def test_every_field_at_fault_is_named() -> None:
    assert "label: too long" in str(failure(errors.Invalid(errors={"label": ["too long"], "scopes": ["unknown"]})))


ACCIDENTS = {"accidents": ("cli.accidents", "Go wrong")}


def test_an_unexpected_fault_shows_no_stack_trace_unless_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert entry.main(["accidents", "fall"], ACCIDENTS) == Exit.SOFTWARE
    told = capsys.readouterr().err
    assert "by accident" in told
    assert "Traceback" not in told
    monkeypatch.setenv("OPORA_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        entry.main(["accidents", "fall"], ACCIDENTS)


def test_an_interrupt_ends_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    assert entry.main(["accidents", "interrupt"], ACCIDENTS) == Exit.INTERRUPTED
    assert capsys.readouterr().err == ""


def test_a_reader_who_has_seen_enough_is_no_fault() -> None:
    command = f"{sys.executable} -m opora config reference | head -1; echo ${{PIPESTATUS[0]}}"
    env = {"PYTHONPATH": str(SOURCES)}
    done = subprocess.run(["bash", "-c", command], env=env, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("# Settings\n0\n", "")
