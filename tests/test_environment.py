"""environment.yml without conda: its specs are strict ones, and all that it installs stands in pyproject.toml."""

import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from rattler import Channel, MatchSpec, Version, VersionSpec
from rattler.exceptions import InvalidMatchSpecError

import dgmlib

CHECKOUT = Path(dgmlib.__file__).resolve().parent.parent
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]


@pytest.fixture
def environment() -> dict:
    return yaml.safe_load((CHECKOUT / "environment.yml").read_text())


def conda(environment: dict) -> dict[str, MatchSpec]:
    specs = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    return {spec.name.normalized: spec for spec in (MatchSpec(text, strict=True) for text in specs)}


def pip(environment: dict) -> list[str]:
    (section,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    return section


def test_it_has_what_conda_asks_for(environment):
    assert set(environment) == {"name", "channels", "dependencies"}
    assert [Channel(name).name for name in environment["channels"]] == ["conda-forge"]


def test_conda_brings_python_and_pip_alone(environment):
    assert set(conda(environment)) == {"python", "pip"}


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.12.4", "3.13", "3.14"])
def test_conda_takes_the_pythons_that_the_project_takes(environment, version):
    wanted = SpecifierSet(PROJECT["requires-python"])
    assert wanted.contains(version) == accepts(conda(environment)["python"], version)


def accepts(spec: MatchSpec, version: str) -> bool:
    return VersionSpec(str(spec.version), strict=True).matches(Version(version))


def test_pip_installs_the_checkout_with_an_extra_that_exists(environment):
    constraints, editable = (line.split(maxsplit=1) for line in pip(environment))
    assert constraints[0] == "-c"
    assert (CHECKOUT / constraints[1]).is_file()
    assert editable[0] == "-e"
    place, extra = editable[1].rstrip("]").split("[")
    assert (place, extra in EXTRAS) == (".", True)


def pinned() -> dict[str, str]:
    """constraints.txt: one exact version a line."""
    lines = [line for line in (CHECKOUT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    found = [Requirement(line) for line in lines]
    assert all(len(r.specifier) == 1 and next(iter(r.specifier)).operator == "==" for r in found)
    return {normal(r.name): next(iter(r.specifier)).version for r in found}


def normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def requirements() -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *(text for texts in EXTRAS.values() for text in texts)]
    return [Requirement(text) for text in texts if normal(Requirement(text).name) != normal(PROJECT["name"])]


@pytest.mark.parametrize("wanted", requirements(), ids=str)
def test_constraints_pin_each_package_of_the_project_at_a_version_that_it_takes(wanted):
    assert wanted.specifier.contains(pinned()[normal(wanted.name)], prereleases=True)


@pytest.mark.parametrize("spec", ["python>>3.11", "python=>3.11", "pip 1 2 3 4"])
def test_strict_parsing_rejects_what_conda_would(spec):
    with pytest.raises(InvalidMatchSpecError):
        MatchSpec(spec, strict=True)
