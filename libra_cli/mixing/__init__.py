"""One data set from several, in stated proportions: what each gives, and in which order."""
