"""Never stops to compute, where no signal is looked at."""

sum(range(10**12))
