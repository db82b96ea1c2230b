"""Which addresses have to be tried for a set of them: one for each part that no rule tells apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from aws_vpc.network import Address, Block, Network

WORLD = (ip_network("0.0.0.0/0"), ip_network("2000::/3"))
# No host on the internet has these (IANA special-purpose registries; RFC 1918, 6598, 1122, 3927, 5771, 1112).
NOT_PUBLIC = [
    IPv4Network(it)
    for it in ("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
               "192.168.0.0/16", "224.0.0.0/3")
]  # fmt: skip
RFC1918 = [IPv4Network(block) for block in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
RFC6598 = IPv4Network("100.64.0.0/10")
UNIQUE_LOCAL = IPv6Network("fc00::/7")
SOMEWHERE = (ip_address("8.8.8.8"), ip_address("2606:4700:4700::1111"))


def not_on_internet(address: Address) -> str | None:
    """RFC1918 or RFC6598 where the address is private (unique local too) or shared, else None."""
    if address.version == 6:
        return "RFC1918" if address in UNIQUE_LOCAL else None
    if any(address in block for block in RFC1918):
        return "RFC1918"
    return "RFC6598" if address in RFC6598 else None


def public(address: Address) -> bool:
    """Whether a host on the internet can have the address."""
    if address.version == 6:
        return address in WORLD[1]
    return not any(address in block for block in NOT_PUBLIC)


def outside(
    network: Network, within: Block, blocks: Iterable[Block], private: bool = False
) -> Iterator[Address]:
    """Addresses of nobody here, in the block: one for each part that the blocks do not tell apart.

    Only public ones, unless `private` asks for others, too.
    """
    relevant = {it for it in blocks if it.version == within.version and it.overlaps(within)}
    inner = sorted((it for it in relevant if it.prefixlen > within.prefixlen), key=_order)
    for part in (within, *inner):
        children = _children(part, inner)
        special = [it for it in NOT_PUBLIC if it.version == part.version and not private]
        found = _first_free(network, part, [*children, *special])
        if found is not None and (private or public(found)):
            yield found


def _order(block: Block) -> tuple[int, int]:
    return int(block.network_address), block.prefixlen


def _children(part: Block, blocks: list[Block]) -> list[Block]:
    first, last = int(part.network_address), int(part.broadcast_address)
    return [it for it in blocks if it.prefixlen > part.prefixlen and first <= int(it.network_address) <= last]


def _first_free(network: Network, part: Block, taken: list[Block]) -> Address | None:
    """An address of the part in none of the blocks taken, and of no interface here; a usual one where
    possible.
    """
    for usual in SOMEWHERE:
        if usual in part and not any(usual in it for it in taken) and not _ours(network, usual):
            return usual
    number, last = int(part.network_address), int(part.broadcast_address)
    spans = sorted(
        (int(it.network_address), int(it.broadcast_address)) for it in taken if it.version == part.version
    )
    for first, end in spans:
        if number < first:
            break
        number = max(number, end + 1)
    for candidate in range(number, min(last, number + 4096) + 1):
        address = ip_address(candidate) if part.version == 4 else _v6(candidate)
        if not any(address in it for it in taken) and not _ours(network, address):
            return address
    return None


def _v6(number: int) -> Address:
    return ip_address(number.to_bytes(16, "big"))


def _ours(network: Network, address: Address) -> bool:
    return address in network.by_public_address or address in network.by_ipv6_address


def blocks_of(network: Network, vpcs: Iterable[str], groups: Iterable[str]) -> set[Block]:
    """The blocks that ACLs, routes and prefix lists of the VPCs, and rules of the groups, tell apart."""
    found: set[Block] = set()
    wanted = set(vpcs)
    for table in network.route_tables.values():
        if table.vpc in wanted:
            found |= {it.destination for it in table.routes if it.destination is not None}
    for acl in network.acls.values():
        if acl.vpc in wanted:
            found |= {it.block for it in acl.entries}
    for group in groups:
        if group in network.groups:
            found |= {it.block for it in network.groups[group].rules if it.block is not None}
    for listed in network.prefix_lists.values():
        found |= set(listed.blocks)
    return found
