"""Speed and durability, measured; run by hand, and by CI in small. Nothing here is installed."""
