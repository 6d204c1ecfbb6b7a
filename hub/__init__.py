"""Busbar: the program that wires and runs."""

__version__ = "0.1.0"
