"""`python -m tiffin` is the command line."""

from tiffin.cli.script import run

run()
