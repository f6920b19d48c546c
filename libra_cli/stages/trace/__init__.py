"""`libra trace`: what became of one record, stage by stage."""
