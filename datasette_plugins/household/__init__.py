"""The household page on a laptop: one household with all its ledgers, its actions, and who is due for a visit."""
