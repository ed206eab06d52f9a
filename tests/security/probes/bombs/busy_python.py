"""Never stops to compute."""

while True:
    pass
