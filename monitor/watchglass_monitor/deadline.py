"""The end of the time that code may take, as an exception that is raised into it."""


class DeadlineExceeded(BaseException):
    """Code ran longer than it may; not an Exception, so that ordinary handlers let it pass."""
