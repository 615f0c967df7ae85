"""What is raised when no network fits the limits."""

from netwright.errors import BudgetError

__all__ = ["BudgetError"]
