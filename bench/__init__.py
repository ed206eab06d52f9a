"""Measures Watchglass side by side with jupyter_server and ipykernel: `make bench`."""
