"""`demo`: see it work."""

import click

from . import options


@click.command()
@options.jobs
@options.judged
@options.shared
def demo(jobs, secret, sandbox, course, output) -> int:
    """Take a bundled class from release to pages."""
    from ..demo import demo as run_demo

    return run_demo(course, jobs, secret, sandbox, output)


COMMANDS = (demo,)
