"""Exchange between stations: one bundle for every road."""
