"""The history of the database schema, run by `hub.core.store.migrate` at every start."""
