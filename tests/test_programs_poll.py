"""A process away from home misses no readiness of home's files, nor believes an old one."""

import pytest

from runs import there
from selftests import check, place

pytestmark = pytest.mark.cluster(nodes=2)


@pytest.fixture(params=["", there(2)], ids=["at_home", "on_another_node"])
def program(cluster, request):
    """The words that start the program."""
    return request.param + place(cluster, "poll")


def test_calls_and_descriptors_change_what_is_ready(cluster, program):
    check(cluster[1].run(program, check=False, timeout=600))


def test_exec_keeps_and_closes_what_it_should(cluster, program):
    check(cluster[1].run(f"{program} exec", check=False, timeout=300))


def test_home_wakes_an_epoll_after_dup_and_close(cluster, program):
    task = cluster[1].spawn(f"exec {program} stdin", open_stdin=True, timeout=300)
    task.wait_output("# waiting")
    task.input("x")
    check(task.wait(300))


@pytest.mark.parametrize("trigger", ["level", "edge"])
def test_no_line_of_a_slow_writer_is_missed(cluster, program, trigger):
    check(cluster[1].run(f"/home/poll feed | {program} {trigger}", check=False, timeout=600))
