"""`python -m narrows.cli` runs `narrows`."""

import sys

from narrows.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
