"""Runs a script in a formula."""


class Formula:
    def _repr_latex_(self):
        return f"$\\href{{javascript:{ATTACK}}}{{x}}$ <img src=x: onerror='{ATTACK}'>"


Formula()
