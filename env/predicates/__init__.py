"""The predicates of the goal language; importing this package declares all of them."""

from env.predicates import grasp, motion, pose, relation, support
from env.predicates.base import (
    Condition,
    Predicate,
    Threshold,
    all_predicates,
    get_predicate,
    predicate,
    register_predicate,
)

__all__ = [
    "Condition",
    "Predicate",
    "Threshold",
    "all_predicates",
    "get_predicate",
    "grasp",
    "motion",
    "pose",
    "predicate",
    "register_predicate",
    "relation",
    "support",
]
