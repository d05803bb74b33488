"""`python -m narrows.cli` is `narrows`."""

import sys

from narrows.cli.app import main

if __name__ == "__main__":
    sys.exit(main())
