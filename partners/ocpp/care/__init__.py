"""Looking after stations: the firmware that is on them, and what they write down of themselves."""
