"""OICP 2.3: partners that speak it take part like any other, through an interpreter to OCPI's words.

What comes from them is asked of the hub as OCPI requests of theirs, made in this process (`inward`); what the hub sends
them arrives at `peers`, which says it in OICP. Nothing outside this package knows OICP.
"""
