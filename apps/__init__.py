"""Pages that a person uses: a server on this machine, plain HTML and JavaScript."""
