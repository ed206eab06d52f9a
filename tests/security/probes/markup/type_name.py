"""Names a type and its module like markup."""

markup = f"<img src=x: onerror='{ATTACK}'>"
typed = type(markup, (), {"__module__": markup, "__qualname__": markup})()
