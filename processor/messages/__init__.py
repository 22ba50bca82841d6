"""Messages of every dialect in one form: a lenient reader with caps."""
