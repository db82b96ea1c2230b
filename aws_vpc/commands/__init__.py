"""The commands of `python -m aws_vpc`, one module each: they print and ask; cli.py parses and exits."""
