"""Ledgers out of a station: Excel, CSV and GeoJSON."""
