"""Partners to test against: real programs, written from the specifications and from nothing else.

An eMSP (`emsp.py`) that registers with a hub over HTTP, and a charge point (`charger.py`) that dials in
over a websocket. Nothing here imports the hub or its modules: a partner with the hub's own models
would share its mistakes. What a partner dislikes in what it receives it writes down as a complaint;
tests assert that none is.
"""
