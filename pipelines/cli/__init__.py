"""The command line: one thin file per sub-command, imported when it is called."""
