"""Documented facts about VPC networking, each a small network."""
