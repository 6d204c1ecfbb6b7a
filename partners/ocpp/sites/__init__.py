"""Sites whose power is shared: what operators say of them, and the work of keeping their chargers within limits.

    form        the operator's JSON, and the tree that `partners.ocpp.energy` reckons with
    rows        what is kept: sites, limits and loads for a time, what each EVSE was told, what is shown
    register    all sites in memory; what operators ask
    state       one EVSE: what it was told and what came of it, the partner's wish, its safe current
    metering    what connectors draw, phase by phase, as chargers tell it
    clocks      how wrong chargers' clocks are
    payloads    a share, a safe current, a question for the schedule: in the words of each version of OCPP
    teller      says these to a charger, and judges what comes back
    present     the facts of a moment, for the allocation
    telling     shares and safe currents on their way to the chargers of one site
    roll        all EVSEs: their states, and what can be seen of them now
    foresight   a plan over the day, where departures are known
    steering    one site: look, allocate when anything happened, tell, show, wait
    shown       what people see of it
    echo        who limited a session hears what it really gets
    steered     the port to chargers for modules: at a site a partner's limits are wishes
    work        all sites of a gateway

The API's process writes `sites`, `site_limits` and `site_loads`; the gateway's follows them, and writes the rest. What
a charger is told is on disk before it is sent, so that a restart knows at least as much as the charger.
"""
