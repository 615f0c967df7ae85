"""The command line: one verb of the workbench a command, nothing of its own."""

from netwright.cli.main import main

__all__ = ["main"]
