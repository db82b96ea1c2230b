"""usage: python -m aws_vpc.loader.people --rows N [--seed S] [--out FILE]

Write N invented people as CSV (id, email, state, postal, address). The same seed gives the same people,
and the first rows of a larger number are the rows of a smaller one. Nobody in it exists: every e-mail
address is under a domain reserved for examples.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

HEADER = ("id", "email", "state", "postal", "address")
FIRST = (
    "ada", "alan", "alice", "amir", "ana", "anna", "ben", "carla", "carlos", "chen", "clara", "daniel",
    "david", "diego", "elena", "emma", "erik", "eva", "fatima", "felix", "grace", "hana", "hugo", "ines",
    "ivan", "jack", "jane", "john", "jorge", "julia", "kai", "karen", "laura", "leo", "lin", "lucas",
    "maria", "mark", "maya", "mia", "mohamed", "nina", "noah", "nora", "olga", "omar", "oscar", "paul",
    "petra", "rosa", "ruth", "sam", "sara", "sofia", "tom", "vera", "victor", "wei", "yuki", "zoe",
)  # fmt: skip
LAST = (
    "adams", "ahmed", "baker", "bell", "brown", "carter", "chang", "clark", "cohen", "cooper", "costa",
    "cruz", "davis", "diaz", "evans", "fischer", "flores", "garcia", "gomez", "gray", "green", "hall",
    "harris", "hill", "huang", "hughes", "ito", "jackson", "johnson", "jones", "kelly", "khan", "kim",
    "king", "kowalski", "lee", "lewis", "li", "lopez", "martin", "meyer", "miller", "moore", "nguyen",
    "novak", "olsen", "patel", "perez", "price", "reyes", "rivera", "rossi", "sato", "scott", "silva",
    "singh", "smith", "tanaka", "taylor", "turner", "walker", "wang", "white", "wilson", "wright", "yang",
    "young",
)  # fmt: skip
DOMAINS = ("example.com", "example.net", "example.org")
STREETS = (
    "Main", "Oak", "Maple", "Cedar", "Elm", "Pine", "Walnut", "Lake", "Hill", "Park", "Church", "Spring",
    "River", "Mill", "Washington", "Lincoln", "Jefferson", "Franklin", "Highland", "Sunset", "Prospect",
    "Chestnut", "Willow", "Meadow", "Forest",
)  # fmt: skip
KINDS = ("St", "Ave", "Rd", "Blvd", "Ln", "Dr", "Ct", "Way", "Pl")
HOUSES = ("The Old Mill", "Rose Cottage", "The Annex", "Sunny Side", "Flat Iron")

# the first three digits that the postal service gives to each state, lowest and highest
POSTAL = {
    "AL": (350, 369), "AK": (995, 999), "AZ": (850, 865), "AR": (716, 729), "CA": (900, 961),
    "CO": (800, 816), "CT": (60, 69), "DE": (197, 199), "DC": (200, 205), "FL": (320, 349),
    "GA": (300, 319), "HI": (967, 968), "ID": (832, 838), "IL": (600, 629), "IN": (460, 479),
    "IA": (500, 528), "KS": (660, 679), "KY": (400, 427), "LA": (700, 714), "ME": (39, 49),
    "MD": (206, 219), "MA": (10, 27), "MI": (480, 499), "MN": (550, 567), "MS": (386, 397),
    "MO": (630, 658), "MT": (590, 599), "NE": (680, 693), "NV": (889, 898), "NH": (30, 38), "NJ": (70, 89),
    "NM": (870, 884), "NY": (100, 149), "NC": (270, 289), "ND": (580, 588), "OH": (430, 459),
    "OK": (730, 749), "OR": (970, 979), "PA": (150, 196), "RI": (28, 29), "SC": (290, 299),
    "SD": (570, 577), "TN": (370, 385), "TX": (750, 799), "UT": (840, 847), "VT": (50, 59),
    "VA": (220, 246), "WA": (980, 994), "WV": (247, 268), "WI": (530, 549), "WY": (820, 831),
}  # fmt: skip
STATES = tuple(POSTAL)


def people(rows: int, seed: int) -> Iterator[tuple[int, str, str, str, str]]:
    """Invented people, numbered from 1."""
    chance = random.Random(seed)
    for number in range(1, rows + 1):
        state = chance.choice(STATES)
        yield number, _email(chance, number), state, _postal(chance, state), _address(chance)


def write(rows: int, seed: int, out: TextIO) -> None:
    """Write a header and that many people."""
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(people(rows, seed))


def _email(chance: random.Random, number: int) -> str:
    return f"{chance.choice(FIRST)}.{chance.choice(LAST)}{number}@{chance.choice(DOMAINS)}"


def _postal(chance: random.Random, state: str) -> str:
    low, high = POSTAL[state]
    code = f"{chance.randint(low, high):03}{chance.randint(1, 99):02}"
    return f"{code}-{chance.randint(1, 9999):04}" if chance.random() < 0.1 else code


def _address(chance: random.Random) -> str:
    street = f"{chance.randint(1, 9999)} {chance.choice(STREETS)} {chance.choice(KINDS)}"
    kind = chance.random()
    if kind < 0.15:
        return f"{street}, Apt {chance.randint(1, 40)}"
    return f'"{chance.choice(HOUSES)}", {street}' if kind < 0.2 else street


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m aws_vpc.loader.people", description="Write invented people as CSV."
    )
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, help="file to write; standard output when left out")
    given = parser.parse_args(arguments)
    if given.out is None:
        write(given.rows, given.seed, sys.stdout)
    else:
        with given.out.open("w", encoding="utf-8", newline="") as file:
            write(given.rows, given.seed, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
