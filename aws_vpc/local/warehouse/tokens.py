"""SQL text as tokens, so that what stands in a literal or a comment is never taken for a keyword."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The order matters: comments before operators, E'..' before words.
_TOKEN = re.compile(
    r"""
      (?P<space>\s+|--[^\n]*)
    | (?P<comment>/\*)
    | (?P<string>[eE]'(?:[^'\\]|\\.|'')*' | (?:[bBxXnN]|[uU]&)?'(?:[^']|'')*')
    | (?P<dollar>\$(?P<tag>[A-Za-z_\x80-\uffff][\w]*)?\$)
    | (?P<quoted>(?:[uU]&)?"(?:[^"]|"")*")
    | (?P<number>\d+(?:\.\d*)?(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)?)
    | (?P<parameter>\$\d+)
    | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$]*)
    | (?P<operator>::|<=|>=|<>|!=|:=|=>|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """One word, literal, name or sign of a statement, and where it stands in the text."""

    kind: str  # word, string, quoted, number, parameter, operator
    text: str
    start: int
    end: int

    @property
    def upper(self) -> str:
        """The keyword in capitals; '' for what cannot be one, such as a literal or a quoted name."""
        return self.text.upper() if self.kind in ("word", "operator") else ""

    @property
    def name(self) -> str:
        """The name of a table or column as the catalog has it."""
        return self.text[1:-1].replace('""', '"') if self.kind == "quoted" else self.text.lower()

    @property
    def value(self) -> str:
        """The content of a string literal."""
        return self.text[1:-1].replace("''", "'")


def tokens(text: str) -> list[Token]:
    """The tokens of a text, without blanks and comments."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        assert match is not None  # the last alternative takes any character
        kind, start, position = str(match.lastgroup), position, match.end()
        if match["comment"]:
            position = _end_of_comment(text, position)
        elif match["dollar"]:
            close = text.find(match["dollar"], position)
            position = len(text) if close < 0 else close + len(match["dollar"])
            found.append(Token("string", text[start:position], start, position))
        elif kind != "space":
            found.append(Token(kind, text[start:position], start, position))
    return found


def _end_of_comment(text: str, position: int) -> int:
    """Where a comment ends; comments nest, and one that is not closed takes all."""
    depth = 1
    while depth:
        edge = _COMMENT_EDGE.search(text, position)
        if edge is None:
            return len(text)
        depth += 1 if edge[0] == "/*" else -1
        position = edge.end()
    return position


def statements(found: list[Token]) -> list[list[Token]]:
    """The statements of a text, each as its tokens, without the semicolons; empty ones are left out."""
    parts: list[list[Token]] = [[]]
    for token in found:
        if token.upper == ";":
            parts.append([])
        else:
            parts[-1].append(token)
    return [part for part in parts if part]


def closing(found: list[Token], opening: int) -> int:
    """The index of the parenthesis that closes the one at `opening`, or the length when none does."""
    depth = 0
    for index in range(opening, len(found)):
        depth += {"(": 1, ")": -1}.get(found[index].upper, 0)
        if depth == 0:
            return index
    return len(found)


def split(found: list[Token], separator: str = ",") -> list[list[Token]]:
    """The tokens cut at a separator that stands in no parenthesis."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in found:
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if token.upper == separator and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def has(found: list[Token], *words: str) -> int:
    """Where the keywords stand one after the other, counted from 0, or -1."""
    size = len(words)
    for index in range(len(found) - size + 1):
        if all(found[index + offset].upper == word for offset, word in enumerate(words)):
            return index
    return -1


class Edits:
    """Replacements in a text, collected by position and applied at once."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._edits: list[tuple[int, int, str]] = []

    def replace(self, first: Token, last: Token, text: str) -> None:
        """Put text in the place of the tokens from first to last."""
        self._edits.append((first.start, last.end, text))

    def insert(self, after: Token, text: str) -> None:
        """Put text behind a token."""
        self._edits.append((after.end, after.end, text))

    def apply(self) -> str:
        """The text with all replacements made."""
        done = self.text
        for start, end, text in sorted(self._edits, reverse=True):
            done = done[:start] + text + done[end:]
        return done

    def __bool__(self) -> bool:
        return bool(self._edits)
