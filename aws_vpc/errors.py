"""Every error this project raises on purpose.

    Error                   one line for the user, exit status 1
    ├── UsageError          the command line or a value on it is wrong, exit status 2
    ├── Refused             the answer is no: a question declined, a check that failed, exit status 3
    ├── TemplateError       a template or its parameters break a CloudFormation rule
    ├── DeployFailed        a stack, a deployment or a job ended badly
    └── LocalError          the embedded AWS cannot start, stop or be found

`cli` turns them, and botocore's own, into one line on stderr. A bug is never caught.
"""


class Error(Exception):
    """What failed, on which thing, why, and the next step, in one line."""

    exit_status = 1


class UsageError(Error):
    """The command line, or a value given on it, is wrong."""

    exit_status = 2


class Refused(Error):
    """The answer is no."""

    exit_status = 3


class TemplateError(Error):
    """A template or its parameters break a CloudFormation rule; the text is AWS's own where AWS has one."""


class DeployFailed(Error):
    """A stack operation, a deployment or a job ended badly."""


class LocalError(Error):
    """The embedded AWS cannot start, stop or be found."""
