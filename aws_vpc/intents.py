"""What must and must not be reachable, written down: a YAML or JSON text to checked values.

    parameters: {WebPort: 80}            values for ${...}; the templates' own parameters win
    intents:
      - name: the database is for the web server and the loader
        only: {from: [WebServer, LoaderComputeEnvironment], to: Database, port: 5432}

allow      every interface of `from` reaches `to`, there and back
deny       not one packet of `from` arrives at `to`; `except` lists flows that may
only       nothing arrives at `to` but from `from`, on `port`
through    as allow, and every way passes `through`
MatchPaths, ExcludePaths      a Network Access Analyzer scope, unchanged: no path may be found

Names are those of `reach`, or `any`. A name that ends in `?` may be missing; an intent without any end left
is not asked, and neither is one whose `unless` names a parameter's value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from aws_vpc.errors import UsageError
from aws_vpc.network import PortRange
from aws_vpc.network_values import ANY_PROTOCOL, TCP

KINDS = ("allow", "deny", "only", "through")
MEMBERS = {"from", "to", "port", "protocol", "through", "except"}
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1, "any": ANY_PROTOCOL, "all": ANY_PROTOCOL}
VARIABLE = re.compile(r"\$\{(\w+)\}")


@dataclass(frozen=True)
class FlowSet:
    """Flows between named things: empty `ports` means all."""

    sources: tuple[str, ...]
    destinations: tuple[str, ...]
    protocol: int
    ports: tuple[PortRange, ...] = ()


@dataclass(frozen=True)
class Intent:
    """One line of what must hold; `kind` is allow, deny, only, through or scope."""

    name: str
    kind: str
    flows: FlowSet
    through: tuple[str, ...] = ()
    exceptions: tuple[FlowSet, ...] = ()
    scope: Mapping[str, Any] | None = None
    unless: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Intents:
    """All that a file asks for."""

    parameters: Mapping[str, str]
    intents: tuple[Intent, ...]


def load(text: str, name: str, given: Mapping[str, str] | None = None) -> Intents:
    """The intents of the text; UsageError names the file, the place and the reason when it breaks a rule."""
    try:
        value = yaml.load(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise UsageError(f"{name} is neither YAML nor JSON{place}: {error.problem}") from None
    if isinstance(value, dict) and ("MatchPaths" in value or "ExcludePaths" in value):
        value = {"intents": [{"name": name, **value}]}
    if not isinstance(value, dict) or not isinstance(value.get("intents"), list):
        raise UsageError(f"{name} has no list `intents`, and is no Network Access Analyzer scope")
    if not value["intents"]:
        raise UsageError(f"{name} has no intent in it, so nothing would be checked")
    told = {str(key): _text(it) for key, it in (value.get("parameters") or {}).items()}
    parameters = told | dict(given or {})
    rows = value["intents"]
    return Intents(parameters, tuple(_intent(row, name, at, parameters) for at, row in enumerate(rows, 1)))


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _intent(row: Any, file: str, at: int, parameters: Mapping[str, str]) -> Intent:
    if not isinstance(row, dict):
        raise UsageError(f"{file}: intent {at} is no map")
    name = str(row.get("name") or f"intent {at}")
    where = f"{file}: {name}"
    unless = tuple((str(key), _text(value)) for key, value in (row.get("unless") or {}).items())
    if "MatchPaths" in row or "ExcludePaths" in row:
        return Intent(name, "scope", FlowSet((), (), TCP), scope=row, unless=unless)
    kinds = [kind for kind in KINDS if kind in row]
    strange = sorted(row.keys() - {"name", "unless", *KINDS})
    if len(kinds) != 1 or strange:
        what = f"has {', '.join(strange)}" if strange else "has none or several"
        raise UsageError(f"{where} {what}: write one of {', '.join(KINDS)}, or MatchPaths")
    kind, body = kinds[0], row[kinds[0]]
    flows = _flows(body, where, parameters, kind)
    exceptions = tuple(
        _flows({**_ends(body), **it}, where, parameters, "allow") for it in body.get("except") or ()
    )
    through = tuple(_names(body.get("through")))
    if (kind == "through") != bool(through):
        raise UsageError(f"{where} {'needs' if kind == 'through' else 'cannot have'} the member `through`")
    return Intent(name, kind, flows, through, exceptions, unless=unless)


def _ends(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: body[key] for key in ("from", "to") if key in body}


def _flows(body: Any, where: str, parameters: Mapping[str, str], kind: str) -> FlowSet:
    if not isinstance(body, dict) or body.keys() - MEMBERS or not {"from", "to"} <= body.keys():
        strange = f"; {sorted(body.keys() - MEMBERS)} is not known" if isinstance(body, dict) else ""
        raise UsageError(f"{where} needs `from` and `to`{strange}")
    usual = "any" if kind == "deny" and "port" not in body else "tcp"
    told = _text(body.get("protocol", usual)).lower()
    if told not in PROTOCOLS and not told.isdecimal():
        raise UsageError(f"{where} has the protocol {told!r}: write tcp, udp, icmp, any or a number")
    ports = tuple(_ports(it, where, parameters) for it in _names(body.get("port")))
    protocol = PROTOCOLS[told] if told in PROTOCOLS else int(told)
    return FlowSet(tuple(_names(body["from"])), tuple(_names(body["to"])), protocol, ports)


def _names(value: Any) -> Sequence[str]:
    if value is None:
        return ()
    return [_text(it) for it in value] if isinstance(value, list) else [_text(value)]


def _ports(text: str, where: str, parameters: Mapping[str, str]) -> PortRange:
    def fill(match: re.Match[str]) -> str:
        if match[1] not in parameters:
            raise UsageError(f"{where} asks for the parameter {match[1]}, which has no value: give --param")
        return parameters[match[1]]

    filled = VARIABLE.sub(fill, text)
    first, dash, last = filled.partition("-")
    numbers = [first, last if dash else first]
    if not all(it.isdecimal() and int(it) < 65536 for it in numbers):
        raise UsageError(f"{where} has the port {filled!r}: write a number up to 65535, or FIRST-LAST")
    return PortRange(int(numbers[0]), int(numbers[1]))
