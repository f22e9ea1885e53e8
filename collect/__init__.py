"""A station and what happens on it: journal, merge, projection, drafts, import and export."""
