import pytest

from tests.planted import caught
from tests.planted.lvm import BUGS


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.what)
def test_planted_bug_is_caught(bug):
    caught(bug)
