"""Patterns of tables.yaml made fit for the one regex that checks whole lines.

A pattern is fenced in, so that it never leaves its field, and its repetitions are bounded, so that what it
matches is never longer than its column: what is left out that way is judged value by value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

ATOMS = re.compile(r"\{\d*,?\d*\}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?:|\(\?|.", re.DOTALL)
REFUSED = re.compile(r"\\[0-9bBAZ]|\(\?|[\^$]")
QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
GROUPS = 3  # of a group that may be repeated without end
ONES = (250, 120, 63, 40, 25, 16)  # of anything else


def plain(pattern: str, special: str) -> str:
    """The pattern, unable to match a special character or one outside ASCII: it never leaves its field."""
    if not pattern.isascii():
        raise ValueError("a pattern is written in ASCII")
    forbidden = "".join(re.escape(character) for character in special) + "\x80-\xff"
    atoms = ATOMS.findall(pattern)
    fenced = [_fenced(atom, special, forbidden) for atom in atoms]
    for place in range(1, len(atoms)):
        if atoms[place - 1 : place + 1] == [")", "?"] and atoms[place + 1 : place + 2] not in (["?"], ["+"]):
            fenced[place - 1 : place + 1] = "|", ")"  # as much, in less time than a repetition takes
    return f"(?:{''.join(fenced)})"


def bounded(pattern: str, size: int) -> str | None:
    """The pattern, its repetitions bounded so that it matches `size` characters at most; else None."""
    atoms = ATOMS.findall(pattern)
    for ones in ONES:
        capped = [_capped(before, atom, ones) for before, atom in zip(["", *atoms], atoms, strict=False)]
        if _width(iter(capped)) <= size:
            return "".join(capped)
    return None


def _fenced(atom: str, special: str, forbidden: str) -> str:
    if atom != "(?:" and REFUSED.fullmatch(atom):
        raise ValueError(f"{atom} in a pattern is not supported; it is matched against the whole value")
    if atom == "(":
        return "(?:"
    if atom in ("(?:", ")", "|", "*", "+", "?") or (atom[0] == "{" and len(atom) > 1):
        return atom
    one = re.compile(atom, re.DOTALL)
    high = (chr(code) for code in range(0x80, 0x100))
    return f"(?:(?![{forbidden}]){atom})" if any(map(one.fullmatch, (*special, *high))) else atom


def _capped(before: str, atom: str, ones: int) -> str:
    """The atom; a repetition without end gets one."""
    if _most(atom) != math.inf:
        return atom
    least = {"*": "0", "+": "1"}.get(atom) or atom[1:].partition(",")[0] or "0"
    return f"{{{least},{max(int(least), GROUPS if before == ')' else ones)}}}"


def _most(atom: str) -> float | None:
    """How often a quantifier repeats at most; None of what is no quantifier."""
    found = QUANTIFIER.fullmatch(atom)
    if not found:
        return None
    if atom in "*+":
        return math.inf
    if atom == "?":
        return 1
    return float(found[3]) if found[3] else math.inf if found[2] else float(found[1])


def _width(atoms: Iterator[str]) -> float:
    """How many characters the atoms up to the end of their group match at most."""
    widest = before = last = 0.0
    for atom in atoms:
        if (most := _most(atom)) is not None:
            last *= most
        elif atom == "|":
            widest, before, last = max(widest, before + last), 0.0, 0.0
        elif atom == ")":
            break
        else:
            before, last = before + last, _width(atoms) if atom in ("(", "(?:") else 1.0
    return max(widest, before + last)
