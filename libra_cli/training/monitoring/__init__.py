"""What a run tells of itself: telemetry, trackers, FLOPs, memory, evaluation."""
