"""nbgrader's gradebook: where it is, and how it is opened."""

import warnings
from contextlib import contextmanager
from pathlib import Path

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from nbgrader.api import Base, Gradebook
from nbgrader.dbutil import ALEMBIC_DIR
from sqlalchemy import create_engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, OperationalError
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from ..course import Course, CourseError

CONFIG = "nbgrader_config.py"
SQLITE = "sqlite:///"


class RecordError(RuntimeError):
    """The gradebook could not be read or written; no verdict is lost."""


def url(course: Course) -> str:
    """Its address: `c.CourseDirectory.db_url` of the folder's nbgrader_config.py, else grading/gradebook.db."""
    address = configured(course).CourseDirectory.get("db_url", f"{SQLITE}{course.gradebook}")
    if address.startswith(SQLITE):  # a relative path is meant from the course folder, wherever the command runs
        return f"{SQLITE}{course.root / address.removeprefix(SQLITE)}"
    return address


def configured(course: Course) -> Config:
    """nbgrader's settings of the course folder. Raises CourseError."""
    if not (course.root / CONFIG).is_file():
        return Config()
    try:
        return PyFileConfigLoader(CONFIG, str(course.root)).load_config()
    except Exception as error:
        raise CourseError(f"{course.root / CONFIG}: {type(error).__name__}: {error}") from None


def exists(course: Course) -> bool:
    """Whether anything can have been recorded: an SQLite file is made at need, a server's database is there."""
    address = url(course)
    return not address.startswith(SQLITE) or Path(address.removeprefix(SQLITE)).is_file()


@contextmanager
def opened(db_url: str):
    """The gradebook; waits for another writer. Raises RecordError, and CourseError where the address is wrong."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader's models against today's SQLAlchemy
            create(db_url)
            with Gradebook(db_url) as gradebook:
                yield gradebook
    except OperationalError as error:
        line = str(error.orig or error).splitlines()[0]
        raise RecordError(f"the gradebook {shown(db_url)}: {line}; verdicts are kept, run autograde again") from None
    except ArgumentError as error:
        raise CourseError(f"db_url in {CONFIG}: {error}") from None
    except ModuleNotFoundError as error:
        raise CourseError(f"db_url {shown(db_url)}: {error}; pip install 'psycopg[binary]'") from None


def create(db_url: str):
    """Give a new database nbgrader's tables and their version; left to nbgrader this takes an `alembic` on PATH."""
    engine = create_engine(db_url)
    try:
        if not inspect(engine).get_table_names():
            Base.metadata.create_all(engine)
            with engine.begin() as connection:
                MigrationContext.configure(connection).stamp(ScriptDirectory(ALEMBIC_DIR), "head")
    finally:
        engine.dispose()


def shown(db_url: str) -> str:
    """The address without its password."""
    return make_url(db_url).render_as_string(hide_password=True)
