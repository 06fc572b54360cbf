"""The command line as a user types it."""

import sys

import pytest

from blockworld.cli import main


@pytest.fixture
def blockworld(monkeypatch, capfd):
    """Runs the command line with these words; gives exit status, standard output and standard error."""

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["blockworld", *(str(word) for word in words)])
        with pytest.raises(SystemExit) as exit_:
            main()
        return exit_.value.code, *capfd.readouterr()

    return run


@pytest.fixture
def refused(blockworld):
    """Runs the command line and gives the one sentence that it refuses the input with."""

    def run(*words):
        status, out, err = blockworld(*words)
        assert (status, out) == (2, "")
        assert err.startswith("blockworld: ") and err.count("\n") == 1 and "Traceback" not in err
        return err.removeprefix("blockworld: ").strip()

    return run
