"""Everything a browser or a printer sees: capture pages, the hub, maps and publication."""
