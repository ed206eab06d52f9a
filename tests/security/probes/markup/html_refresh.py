"""Sends the reader to another address."""

from IPython.display import HTML, display

address = f"http://127.0.0.1:{TCP_PORT}/"
display(HTML(f'<meta http-equiv="refresh" content="0;url={address}">'))
display(HTML(f'<base href="{address}"><img src="picture.png">'))
