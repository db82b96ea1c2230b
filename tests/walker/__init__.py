"""A second opinion: a packet walker that does one step after the other, slowly, for one packet at a time.

It shares nothing with aws_vpc/reach*.py but the values of aws_vpc/network*.py, and follows the guides of
AWS that its
functions name. Every port that some rule mentions, and its neighbours, is tried: `ask` answers whether a
connection
works from some client port, and whether it works from every one.
"""

from walker.ask import Answer, ask

__all__ = ["Answer", "ask"]
