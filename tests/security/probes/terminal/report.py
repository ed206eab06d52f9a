"""Has the terminal type an answer, which is a command."""

print('\x1b[6n\x1b[c\x1b[>c\x1bP$q"p\x1b\\\x1b[21t')
