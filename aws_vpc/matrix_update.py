"""After a change: only the rows and columns of the interfaces that it touches are computed again.

`update(matrix, network, pairs)` takes a network that differs in rules of security groups, routes, or ACL
entries; what else differs makes the whole matrix anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from aws_vpc.matrix import Matrix
from aws_vpc.matrix_bits import Numbers
from aws_vpc.matrix_filters import refill as refill_groups
from aws_vpc.matrix_pairs import Pairs, put_columns
from aws_vpc.matrix_positions import Positions
from aws_vpc.matrix_routes import refill as refill_ways
from aws_vpc.matrix_views import View, of_destinations, of_sources
from aws_vpc.matrix_wires import request
from aws_vpc.network import Network

PARTS = ("groups", "route_tables", "acls")
WORTH = 4  # above one in so many interfaces, everything is computed


def update(matrix: Matrix, network: Network, pairs: Pairs) -> Pairs:
    """The pairs in the other network; both arguments are brought up to it where little has changed."""
    changed = differing(matrix.network, network)
    if changed is None:
        vars(matrix).update(vars(Matrix(network, matrix.places.version)))
        return matrix.pairs(pairs.asked)
    touched = renewed(matrix, network, changed, pairs)
    if len(touched) * WORTH > len(matrix.places):
        matrix.backs.clear()
        return matrix.pairs(pairs.asked)
    if len(touched) or pairs.asked_singly:
        recomputed(matrix, pairs, touched, bool(changed["route_tables"] or changed["acls"]))
    return pairs


def differing(old: Network, new: Network) -> dict[str, list[str]] | None:
    """The ids of what differs in the parts that can; None when anything else does."""
    for one in fields(Network):
        left, right = getattr(old, one.name), getattr(new, one.name)
        if one.name not in (*PARTS, "warnings", "labels") and left is not right and left != right:
            return None
    found = {}
    for part in PARTS:
        held, other = getattr(old, part), getattr(new, part)
        if list(held) != list(other):
            return None
        found[part] = [name for name in held if held[name] is not other[name] and held[name] != other[name]]
    if any(
        ends(getattr(old, part)[name]) != ends(getattr(new, part)[name])
        for part in PARTS
        for name in found[part]
    ):
        return None
    return found


def ends(one: Any) -> tuple[Any, ...]:
    """What a table or ACL is associated with."""
    return tuple(getattr(one, name, None) for name in ("vpc", "subnets", "gateways", "main", "default"))


def renewed(matrix: Matrix, network: Network, changed: Mapping[str, list[str]], pairs: Pairs) -> Numbers:
    """The positions that the changes touch, after the matrix's tables have been brought up to date."""
    old = matrix.network
    matrix.network = network
    matrix.places = pairs.places = moved(matrix.places, network)
    matrix.groups.places = matrix.acls.places = matrix.ways.places = matrix.places
    matrix.ways.reader.places, matrix.ways.reader.network = matrix.places, network
    touched: set[int] = set()
    if changed["groups"]:
        touched |= renewed_groups(matrix, old, network, changed["groups"])
    subnets = {one for table in changed["route_tables"] for one in matrix.ways.served.get(table, ())}
    if subnets:
        subnets = renewed_ways(matrix, set(changed["route_tables"]), sorted(subnets))
    if changed["acls"]:
        subnets |= renewed_acls(matrix, network, changed["acls"])
    if subnets:
        matrix.settle()
        touched |= set(matrix.places.subnet.positions(sorted(subnets)).tolist())
    return np.array(sorted(touched), np.int64)


def renewed_ways(matrix: Matrix, tables: set[str], subnets: list[int]) -> set[int]:
    """The subnets whose ways are others after their tables have been read again."""
    found = matrix.ways

    def now() -> list[tuple[bytes, ...]]:
        rows = (found.plain, found.named, found.keeps, found.transit, found.odd)
        return [(*(row[one].tobytes() for row in rows), repr(found.entry[one]).encode()) for one in subnets]

    before = now()
    found.reader.forget(tables)
    refill_ways(found, subnets)
    return {one for one, old, new in zip(subnets, before, now(), strict=True) if old != new}


def moved(places: Positions, network: Network) -> Positions:
    """The same positions over the other network."""
    found = Positions(network, places.version, places.interfaces, places.numbers, places.runs)
    for name in ("index", "subnet", "vpc", "every", "of_vpc", "classes", "members"):
        if name in vars(places):
            vars(found)[name] = vars(places)[name]
    return found


def renewed_groups(matrix: Matrix, old: Network, network: Network, names: list[str]) -> set[int]:
    """The members of the changed groups; the tables of all questions but the last are forgotten."""
    number = matrix.groups.number
    matrix.groups.replace(network, names)
    named = {
        rule.group
        for where in (old, network)
        for name in names
        for rule in where.groups[name].rules
        if rule.group in number and not rule.egress
    }
    classes = matrix.groups.classes_with(
        np.array([number[name] for name in {*names, *named} if name], np.int64)
    )
    for tables in matrix.tables.values():
        refill_groups(matrix.groups, tables, classes)
    return {one for name in names for one in matrix.places.members.get(name, ())}


def renewed_acls(matrix: Matrix, network: Network, names: list[str]) -> set[int]:
    """The subnets of the changed ACLs; all, where one guards a way into a transit gateway."""
    for name in names:
        matrix.acls.row[name] = matrix.acls.put(network.acls[name])
    vars(matrix.acls).pop("lines", None)
    matrix.wires.clear()
    doors = {one for attachment in network.attachments.values() for one in attachment.subnets}
    guarded = {name for name in network.subnets if (acl := network.acl_of(name)) and acl.id in names}
    numbered = matrix.places.subnet.number
    return (
        set(numbered.values())
        if guarded & doors
        else {numbered[name] for name in guarded if name in numbered}
    )


def recomputed(matrix: Matrix, pairs: Pairs, touched: Numbers, routes: bool) -> None:
    """Puts the rows and columns of the touched positions in."""
    some, every = matrix.backs_of(pairs.asked)
    ends = set(touched.tolist())
    pairs.unknown = {one for one in pairs.unknown if not {*one} & ends}
    others = {one for one in pairs.asked_singly if not {*one} & ends}
    pairs.asked_singly = set()
    for view, by_row in ((of_sources(touched), True), (of_destinations(touched), False)):
        if routes:
            for held, fresh in zip((some, every), matrix.back(view, pairs.asked), strict=True):
                put_rows_or_columns(held, touched, fresh, by_row)
    for view, by_row in ((of_sources(touched), True), (of_destinations(touched), False)):
        answers = fresh_answers(matrix, view, pairs)
        for held, fresh in zip((pairs.some, pairs.whole), answers, strict=True):
            put_rows_or_columns(held, touched, fresh, by_row)
        for row, column in matrix.odd(view, pairs.asked):
            pair = (int(touched[row]), column) if by_row else (column, int(touched[row]))
            matrix.ask(pairs, *pair)
    for source, destination in others:
        matrix.ask(pairs, source, destination)


def fresh_answers(matrix: Matrix, view: View, pairs: Pairs) -> Any:
    """Some and whole of the view's rows."""
    there = matrix.there(view, (request(pairs.asked),))[0]
    back = tuple(view.source.rows(held, matrix.places.every) for held in matrix.backs_of(pairs.asked))
    return matrix.answer(view, pairs.asked, there, (back[0], back[1]))


def put_rows_or_columns(held: Any, touched: Numbers, fresh: Any, by_row: bool) -> None:
    """Writes what a view has found."""
    if by_row:
        held[touched] = fresh
    else:
        put_columns(held, touched, fresh)
