"""The function library, a module a topic; importing this package fills the registry."""

from forms.expressions.functions import (
    dates,
    geography,
    hashing,
    logic,
    nodesets,
    numbers,
    patterns,
    repeats,
    selects,
    shuffling,
    strings,
    translation,
)
from forms.expressions.functions.registry import FUNCTIONS, Function

__all__ = [
    "FUNCTIONS", "Function", "dates", "geography", "hashing", "logic", "nodesets", "numbers", "patterns", "repeats",
    "selects", "shuffling", "strings", "translation",
]
