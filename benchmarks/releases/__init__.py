"""How agents that poll load a server, and how soon and how wrongly the live check decides."""
