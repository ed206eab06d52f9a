"""Opens a frame within the frame of HTML output."""

from IPython.display import HTML, display

source = f"<script>{ATTACK}</script>".replace('"', "&quot;")
display(HTML(f'<iframe srcdoc="{source}"></iframe><iframe src="javascript:{ATTACK}"></iframe>'))
