"""The fields that a judge adds to a row. Imports nothing."""

RESULTS = (
    "judge",
    "judge_task",
    "judgments",
    "score",
    "scores",
    "prediction",
    "unjudged",
    "gate",
    "gates",
    "probe",
    "judge_provenance",
)
"""The fields that a judge writes; a row that is judged again loses those of the earlier judge."""
