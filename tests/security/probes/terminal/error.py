"""Sends sequences in an error's name, text and lines."""

escape = "\x1b]0;taken\x07\x1b[2J"
raise type(escape, (Exception,), {})(escape)
