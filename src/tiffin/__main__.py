"""`python -m tiffin` is the command line."""

import sys

from tiffin.cli import main

sys.exit(main())
