"""What survives: kill -9, power loss, full disks, damaged logs; ``python -m benchmarks.durability``.

A real OpenTelemetry SDK exporter (or ``rotel`` behind it) sends spans to ``spanloop serve``. A ledger takes
down a span's ids only after its export was acknowledged. Then something bad happens, the server starts
again, empties its log and stops, and every target table is read from outside: an acknowledged span must be
there (``lost``), and none, acknowledged or not, more than once (``twice``).

Nothing in the product knows of this: exact moments are hit by ``benchmarks.faultfs``, which kills the
process at the n-th sync or rename of a path.
"""
