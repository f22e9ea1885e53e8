"""Publication: the village profile sheet, what may be public of it, and the check that nothing private leaks."""
