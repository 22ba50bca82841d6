"""One self-contained page with the state of agents: read the store, shape the facts, draw the page.

`reading` is the only part that does I/O; `shaping`, `charts` and `page` are pure.
"""
