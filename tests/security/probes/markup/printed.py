"""Prints markup."""

import sys

print(f"<script>{ATTACK}</script><img src=x: onerror='{ATTACK}'>")
print(f"<script>{ATTACK}</script><img src=x: onerror='{ATTACK}'>", file=sys.stderr)
