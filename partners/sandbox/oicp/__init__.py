"""Partners of OICP 2.3: an EMP, a CPO and a hub as real programs over TLS, written from the specification.

Messages are plain JSON dictionaries here. Nothing is shared with the hub's own OICP: a partner with its models would
share its mistakes. What a partner dislikes in what it receives or is answered it writes down as a complaint.

Each has two ports: OICP over TLS with client certificates, and the admin routes (`/sandbox/...`) over plain HTTP.
"""
