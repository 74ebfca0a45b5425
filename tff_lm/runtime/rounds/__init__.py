"""Rounds on workers: the state that stays there, cohorts, recovery."""
