"""Ledgers as lists on a laptop: filtered, sorted, changed cell by cell or many at once, exported and printed."""
