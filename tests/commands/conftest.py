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
