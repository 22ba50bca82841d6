"""Findings written back over OTLP: inside the trace they are about, and our own work as traces.

`note` says what is written, `spans` its bytes, `findings` and `work` make notes of rows, `ledger` decides
what is new, `writing` reads, sends and remembers. Nothing here opens a connection: the sender is handed in.
"""
