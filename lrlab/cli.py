"""The command ``lrlab``, also as ``python -m lrlab.cli``; `lrlab.labbook` has what it does."""

import sys

from lrlab.labbook.cli import main

if __name__ == "__main__":
    sys.exit(main())
