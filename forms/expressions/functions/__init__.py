"""The function library, a module a topic; importing this package fills the registry."""

from forms.expressions.functions import logic, nodesets, numbers, strings
from forms.expressions.functions.registry import FUNCTIONS, Function

__all__ = ["FUNCTIONS", "Function", "logic", "nodesets", "numbers", "strings"]
