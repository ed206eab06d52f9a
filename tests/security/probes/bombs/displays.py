"""Shows rich output without end."""

from IPython.display import HTML, display

while True:
    display(HTML("<b>shown</b>" * 1000))
