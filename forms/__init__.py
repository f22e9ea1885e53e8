"""The form language: definitions, expressions, instances, ledger tables. Imports nothing of ours."""
