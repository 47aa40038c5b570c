"""``python -m lrlab`` is the command line."""

import sys

from lrlab.labbook.cli import main

sys.exit(main())
