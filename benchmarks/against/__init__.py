"""This checkout beside an earlier commit, measured in turns in one run."""
