"""The table of contents: every module, what it serves and what it pushes.

`hub/core` knows no module by name; it is handed this table by `hub/app.py`.
"""

from __future__ import annotations
