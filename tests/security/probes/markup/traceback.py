"""Raises an error whose name, text and lines are markup."""

markup = f"<img src=x: onerror='{ATTACK}'>"
raise type(markup, (Exception,), {"__module__": markup})(markup)
