"""Goes back and writes over what is there."""

print("rm -rf /\r" + "\b" * 80 + "ls      ")
