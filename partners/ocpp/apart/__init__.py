"""Chargers whose sockets are in other processes: who holds which, and orders that go there. PostgreSQL only.

    api, worker                        the database                     ocpp
    Reach -- who holds CP1? ---------> ocpp_sockets, ocpp_gateways <--- Announcer: one row a socket, one lease a process
          -- remote_start, 30 s -----> ocpp_errands: asked -----------> Runner: taken, done in its time
          <- what the charger said --- done <--------------------------

Both sides are woken by NOTIFY, as by any commit. No row is the record of anything: commands, sessions and results have
their own. What holds, whatever stops in between:

- Where no process holds the socket, the asker knows at once. A process says every few seconds that it lives; what one
  that died has held counts as gone when its lease is over, or when it starts again.
- An errand is done at most once, and not after its time: whoever does it takes it first, and an asker whose time is up
  takes it back. Which of the two was first, the row says.
- An asker never waits longer than the time it gave, and a little.

The clocks of the machines must agree to a few seconds; `busbar doctor` looks at that.
"""
