"""usage: machine_packages.py COMMANDS -m pip install [--requirement FILE | NAME==VERSION]...

`pip install` of a virtual environment of a local machine, which has what the laptop's interpreter has:
nothing is fetched. A package that is not there fails as one that the index does not have; of those that are
there, the commands are put into the folder COMMANDS.
"""

import re
import sys
from importlib import metadata
from pathlib import Path

NAME = re.compile(r"\s*([A-Za-z0-9][\w.-]*)")
VALUED = ("-r", "--requirement", "-c", "--constraint", "-i", "--index-url")


def wanted(words: list[str]) -> list[str]:
    """The names of the packages that are asked for, those in requirement files, too."""
    found, queue = [], list(words)
    while queue:
        word = queue.pop(0)
        if word in VALUED:
            file = queue.pop(0)
            lines = Path(file).read_text().splitlines() if word in VALUED[:2] else []
            found += [match[1] for line in lines if (match := NAME.match(line))]
        elif match := NAME.match(word):
            found.append(match[1])
    return found


def main(commands: Path, words: list[str]) -> int:
    """0 when all packages are there, 1 when one is not, 2 when pip is asked for something else."""
    if words[:3] != ["-m", "pip", "install"]:
        print("ERROR: the pip of a local machine can install only", file=sys.stderr)
        return 2
    for name in wanted(words[3:]):
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            print(f"ERROR: No matching distribution found for {name} on this laptop", file=sys.stderr)
            return 1
        for command in package.entry_points.select(group="console_scripts"):
            program, link = Path(sys.executable).parent / command.name, commands / command.name
            if program.exists() and not link.exists():
                link.symlink_to(program)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
