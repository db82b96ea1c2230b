"""Who reaches whom: all ordered pairs of interfaces at once, there and back, by
`Matrix(network).pairs(asked)`.

    positions  interfaces sorted by address, so that a block is a run        matrix_positions.py
    filters    rows for each set of security groups, words for each ACL      matrix_filters.py
    ways       a row of bits for each subnet: where its routes lead          matrix_routes.py
    views      both ends as rows of the same shape, for one formula          matrix_views.py

Interfaces with the same groups, subnet and ACL share their rows. What the rows cannot tell, odd pairs, is
asked of
`reach.trace`. The rules are those of docs/reachability.rst. One IP version at a time, by the first address
of each
interface. NAT gateways, load balancers and endpoints begin nothing; what is sent to a NAT gateway unasked
is dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from aws_vpc.matrix_bits import Bits, packed, unpacked, width
from aws_vpc.matrix_filters import Acls, Groups, GroupTables, group_tables
from aws_vpc.matrix_pairs import Pairs, put
from aws_vpc.matrix_positions import Positions, keys, positions
from aws_vpc.matrix_routes import exit_subnet, ways
from aws_vpc.matrix_rules import Wire
from aws_vpc.matrix_views import Flags, Side, View, Words, blocks
from aws_vpc.matrix_wires import Asked, answers, request
from aws_vpc.network import Flow, Network, Verdict
from aws_vpc.reach import trace

MOST_WIRES, TOGETHER = 64, 8  # kinds of answers, and of requests, that are looked at together


@dataclass
class AclWords:
    """What every ACL admits of some kinds of packets, a bit for each kind."""

    out: Words  # by row of the ACL
    into: Words
    exits: Words  # by (transit gateway, zone): at the way out of the far attachment
    entries: Words  # by position: at the way into the transit gateway


class Matrix:
    """The tables of a network for one IP version, kept for further questions."""

    def __init__(self, network: Network, version: int = 4) -> None:
        self.network = network
        self.places: Positions = positions(network, version)
        self.groups = Groups(self.places)
        self.acls = Acls(self.places)
        self.ways = ways(self.places)
        self.backs: dict[Asked, tuple[Bits, Bits]] = {}
        self.wires: dict[Asked, list[tuple[Wire, ...]]] = {}
        self.tables: dict[Wire, GroupTables] = {}
        self.begins, self.ends = (spread(flags) for flags in ends_of(self.places))
        subnet = self.places.subnet
        self.mates = packed(subnet.of[None, :] == np.arange(len(subnet.names))[:, None])
        self.nobody = np.zeros((0, 0), np.uint8)
        self.settle()

    def settle(self) -> None:
        """What follows from ways and ACLs."""
        subnet = self.places.subnet
        rows = [self.acls.row_of(self.network, str(name)) for name in subnet.names]
        self.acl = np.array(rows, np.int64)[subnet.of]
        self.gateways = keys(self.ways.gateway)
        self.gateway = self.gateways.of[subnet.of]
        self.transit = bool(self.ways.transit.any())
        self.admitted: dict[tuple[Wire, ...], AclWords] = {}

    # -- tables ----------------------------------------------------------------------------------------------

    def acl_words(self, wires: tuple[Wire, ...]) -> AclWords:
        """What ACLs admit of the kinds of packets."""
        if wires not in self.admitted:
            out, into = (self.acls.words(wires, egress) for egress in (True, False))
            self.admitted[wires] = AclWords(out, into, self.exits(out), self.entries(into))
        return self.admitted[wires]

    def exits(self, out: Words) -> Words:
        """By transit gateway and zone: what may leave the far attachment's subnet to each position."""
        found = np.zeros((len(self.gateways.names), len(self.places)), out.dtype)
        for at, name in enumerate(self.gateways.names):
            gateway, zone = name
            for vpc, number in self.places.vpc.number.items():
                attachment = self.network.attachments_of.get((gateway, str(vpc)))
                if attachment:
                    row = self.acls.row_of(self.network, exit_subnet(self.network, attachment, zone))
                    here = self.places.of_vpc[number]
                    found[at, here] = out[row, here]
        return found

    def entries(self, into: Words) -> Words:
        """By position: what of its packets may enter the transit gateway."""
        doors = np.array([self.acls.row_of(self.network, door) for door in self.ways.entry], np.int64)
        found: Words = into[doors[self.places.subnet.of], np.arange(len(self.places))]
        return found

    def group_tables(self, wire: Wire) -> GroupTables:
        """What security groups allow of the packet; those of the last question are kept."""
        if wire not in self.tables:
            self.tables = {wire: group_tables(self.groups, wire)}
        return self.tables[wire]

    # -- formulas --------------------------------------------------------------------------------------------

    def leg(self, start: Side, end: Side, wires: tuple[Wire, ...]) -> tuple[Bits, Words]:
        """Where routes lead from one end to the other, and which kinds of packets ACLs then let pass."""
        words, subnet = self.acl_words(wires), self.places.subnet.of
        way = start.words(words.out, self.acl) & end.words(words.into, self.acl)
        plain = start.rows(self.ways.plain, subnet)
        if not self.transit:
            return plain, way
        over = start.words(words.exits, self.gateway) & start.values(words.entries)
        np.copyto(over, over.dtype.type((1 << len(wires)) - 1), where=unpacked(plain, len(self.places)))
        return plain | start.rows(self.ways.transit, subnet), np.bitwise_and(way, over, out=way)

    def back(self, view: View, asked: Asked) -> tuple[Bits, Bits]:
        """Where answers come back: to some client port, to each."""
        shape = (len(view.chosen), width(len(self.places)))
        some, every = np.zeros(shape, np.uint8), np.full(shape, 0xFF, np.uint8)
        for wires in self.answers(asked):
            lead, got = self.leg(view.destination, view.source, wires)
            some |= lead & packed(got != 0)
            every &= lead & packed(got == (1 << len(wires)) - 1)
        return some, every

    def answers(self, asked: Asked) -> list[tuple[Wire, ...]]:
        """The kinds of answers, as many at a time as a word has bits."""
        key = Asked(asked.protocol, None, asked.clients)
        if key not in self.wires:
            found = answers(self.network, asked)
            parts = range(0, len(found), MOST_WIRES)
            self.wires = {key: [tuple(found[first : first + MOST_WIRES]) for first in parts]}
        return self.wires[key]

    def allowed(self, view: View, wire: Wire, mates: Bits) -> Bits:
        """Where security groups let the connection begin."""
        tables, classes, subnet = self.group_tables(wire), self.places.classes.of, self.places.subnet.of
        named = mates | view.source.rows(self.ways.named, subnet)
        out = view.source.rows(tables.egress, classes)
        out |= view.source.rows(tables.egress_groups, classes) & named
        kept = mates | view.source.rows(self.ways.keeps, subnet)
        into = view.destination.rows(tables.ingress, classes)
        into |= view.source.rows(tables.ingress_groups, classes) & kept
        return out & into

    def may(self, view: View) -> Bits:
        """Where one end begins connections and the other can be their end, and they are two."""
        found = view.source.rows(self.begins, self.places.every) & view.destination.rows(
            self.ends, self.places.every
        )
        row, column = np.arange(len(view.chosen)), view.chosen
        found[row, column >> 3] &= ~(np.uint8(1) << (column & 7).astype(np.uint8))
        return found

    def there(self, view: View, wires: tuple[Wire, ...]) -> list[Bits]:
        """Where requests arrive but for security groups, for each kind of them."""
        lead, got = self.leg(view.source, view.destination, wires)
        return [lead & packed(got & got.dtype.type(1 << at)) for at in range(len(wires))]

    def answer(self, view: View, asked: Asked, there: Bits, back: tuple[Bits, Bits]) -> tuple[Bits, Bits]:
        """Some and whole, but for odd pairs."""
        mates = view.source.rows(self.mates, self.places.subnet.of)
        may = self.allowed(view, request(asked), mates) & self.may(view)
        return may & (mates | (there & back[0])), may & (mates | (there & back[1]))

    # -- questions -------------------------------------------------------------------------------------------

    def backs_of(self, asked: Asked) -> tuple[Bits, Bits]:
        """Where answers come back, for all pairs; the port that is asked makes no difference."""
        key = Asked(asked.protocol, None, asked.clients)
        if key not in self.backs:
            found = [self.back(view, asked) for view in blocks(len(self.places))]
            joined = [np.concatenate(part) for part in zip(*found, strict=True)] or [self.nobody] * 2
            self.backs = {key: (joined[0], joined[1])}
        return self.backs[key]

    def pairs(self, asked: Asked) -> Pairs:
        """Every ordered pair."""
        return next(self.each([asked]))

    def each(self, questions: Sequence[Asked]) -> Iterator[Pairs]:
        """Every ordered pair, for one question after the other; they differ in the port only."""
        for first in range(0, len(questions), TOGETHER):
            asked = questions[first : first + TOGETHER]
            wires = tuple(request(one) for one in asked)
            found = [self.there(view, wires) for view in blocks(len(self.places))]
            theres = [np.concatenate(part) for part in zip(*found, strict=True)] or [self.nobody] * len(asked)
            for one in asked:
                yield self.completed(one, theres.pop(0))

    def completed(self, asked: Asked, there: Bits) -> Pairs:
        """The pairs of a question, from where its requests arrive but for security groups."""
        some, every = self.backs_of(asked)
        found = Pairs(self.places, asked, there, np.empty_like(there))
        for view in blocks(len(self.places)):
            here = slice(view.chosen[0], view.chosen[-1] + 1)
            found.some[here], found.whole[here] = self.answer(
                view, asked, there[here], (some[here], every[here])
            )
            for row, column in self.odd(view, asked):
                self.ask(found, int(view.chosen[row]), column)
        return found

    def odd(self, view: View, asked: Asked) -> list[tuple[int, int]]:
        """(row of the view, column) of the pairs that only a trace can tell."""
        subnet, tables = self.places.subnet.of, self.group_tables(request(asked))
        there, back = view.source.rows(self.ways.odd, subnet), view.destination.rows(self.ways.odd, subnet)
        doubt = tables.doubt[self.places.classes.of]
        if not there.any() and not back.any() and not doubt.any():
            return []
        some = there | view.source.rows(self.ways.plain, subnet) | view.source.rows(self.ways.transit, subnet)
        mates = view.source.rows(self.mates, subnet)
        doubts = packed(view.source.values(doubt) | view.destination.values(doubt))
        found = (there | (some & back) | ((some | mates) & doubts)) & self.may(view)
        rows, columns = np.nonzero(unpacked(found, len(self.places)))
        return list(zip(rows.tolist(), columns.tolist(), strict=True))

    def ask(self, found: Pairs, source: int, destination: int) -> None:
        """Puts the answer of a trace in."""
        found.asked_singly.add((source, destination))
        verdict, every = self.traced(found.asked, source, destination)
        put(found.some, source, destination, verdict == Verdict.REACHABLE)
        put(found.whole, source, destination, verdict == Verdict.REACHABLE and every)
        (found.unknown.add if verdict == Verdict.UNKNOWN else found.unknown.discard)((source, destination))

    def traced(self, asked: Asked, source: int, destination: int) -> tuple[Verdict, bool]:
        """What the explained walker says of a pair: its verdict, and whether each client port gets
        answers.
        """
        answer = trace(self.network, self.flow(asked, source, destination))
        return answer.verdict, answer.whole_range_answered

    def flow(self, asked: Asked, source: int, destination: int) -> Flow:
        """The flow that a pair of positions stands for."""
        ends, wire = [self.places.interfaces[one].id for one in (source, destination)], request(asked)
        at = [self.places.address(one) for one in (source, destination)]
        return Flow(ends[0], at[0], ends[1], at[1], asked.protocol, wire.port, asked.clients, wire.icmp)


def spread(flags: Flags) -> Bits:
    """A row for each position, full or empty."""
    return np.repeat(np.where(flags, 0xFF, 0).astype(np.uint8)[:, None], width(len(flags)), axis=1)


def ends_of(places: Positions) -> tuple[Flags, Flags]:
    """By position: whether it begins connections, and whether it can be their end."""
    network = places.network
    passive = (network.nat_gateways, network.load_balancers, network.endpoints)
    begins = [
        one.kind != "vpc_endpoint" and all(one.owner not in each for each in passive)
        for one in places.interfaces
    ]
    ends = [
        one.owner not in network.nat_gateways
        and (one.owner not in network.endpoints or network.endpoints[one.owner].state == "available")
        for one in places.interfaces
    ]
    return np.array(begins, np.bool_), np.array(ends, np.bool_)
