"""Watch over chargers: rules over what is seen of them, alerts that open and close, and how long each EVSE was up.

`rules.py`, `alerts.py` and `uptime.py` are pure: what is seen and what time it is are arguments.
"""
