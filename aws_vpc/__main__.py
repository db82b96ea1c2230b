"""So that `python -m aws_vpc` works."""

import sys

from aws_vpc.cli import main

if __name__ == "__main__":
    sys.exit(main())
