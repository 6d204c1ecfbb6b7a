"""What an operator can do, whoever asks: the management API and the command line share these functions.

They take a `Program` and know no HTTP. What they return is plain JSON (`hub.core.jsontypes`), what goes wrong is one of
`hub.core.errors`. Whoever changes something is named in the audit log.
"""
