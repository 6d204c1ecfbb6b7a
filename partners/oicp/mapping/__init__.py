"""What OICP says, in OCPI's words, and the other way: pure functions over plain trees, and tables.

    evse_data      a location and its EVSEs -> EvseDataRecords           locations       records -> locations
    evse_status    what EVSEs do                                          tokens          Identification, Token
    authorization  the answers to "may this one charge?"                  commands        what became of an order
    sessions       Session, notifications                                 cdrs            CDR, ChargeDetailRecord
    tariffs        Tariff, pricing products                               terms           what must be agreed for it

A tree of OCPI is in our own form, that of its newest version; one of OICP is as `wire.read` gives it and `wire.write`
takes it. Every function names what it could not carry (`Mapped.lost`) or raises NotSayable, where what would arrive
would be something else. Money, identity and signatures are never guessed.
"""
