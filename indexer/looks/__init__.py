"""How an indexed picture looks at a glance: a tiny preview of it, and how much of it is of which colour."""
