"""Power shared among the charges of a site: pure decisions, without a clock, a store or a socket.

    site.py      the tree: grid connection, sub-boards, circuits, EVSEs and their wiring
    facts.py     what is known at a moment: charges, who is offline or deaf, limits and loads over time
    allocation   `allocate(site, facts, rules, now)`: who may draw how much now, until when, and why
    planning     `plan(site, facts, rules, begin, end)`: as much energy as possible by the times of departure
    ahead        `allocate_ahead(...)`: the periods that a charger is told for a longer time
    wishes       OCPI profiles and preferences as facts; prose: reasons as sentences

What holds: on no phase of no node, at no time, do those who do what they are told draw more than is left of its limit,
whoever is offline and whoever draws too much. See `hub/decisions/power-is-shared-by-our-own-arithmetic.md`.
"""
