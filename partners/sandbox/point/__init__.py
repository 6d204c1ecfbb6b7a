"""The parts of the scripted charge point: its clock, meter, link to the CSMS, answers and faults."""
