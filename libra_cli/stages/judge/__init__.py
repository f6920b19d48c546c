"""What `libra judge` does between its rows and its judges."""

RESULTS = ("judge", "judge_task", "judgments", "score", "scores", "prediction", "unjudged", "gate", "gates", "probe",
           "judge_provenance")  # fmt: skip
"""The fields of a judged row; a row that is judged anew has none of those that it had before."""
