"""What is here is counted as held, or as a server's, until it has ended."""

from __future__ import annotations

from whisper_runtime.front.demand import DemandCounter


def test_a_request_is_held_then_a_servers_and_held_again_where_that_is_lost() -> None:
    demand = DemandCounter()
    with demand.request() as counted:
        counted.hold()
        counted.receive(300)
        seen = [demand.report()]
        with counted.at_a_server():
            seen.append(demand.report())
        seen.append(demand.report())
    seen.append(demand.report())
    assert [(one.held_requests, one.held_bytes, one.active_requests) for one in seen] == [
        (1, 300, 0),
        (0, 0, 1),
        (1, 300, 0),
        (0, 0, 0),
    ]


def test_idle_time_begins_with_the_start_and_anew_with_each_end() -> None:
    now = [100.0]
    demand = DemandCounter(lambda: now[0])
    now[0] += 5
    assert demand.report().idle_seconds == 5
    with demand.request() as counted:
        counted.hold()
        now[0] += 7
        assert demand.report().idle_seconds == 0
    now[0] += 2
    assert demand.report().idle_seconds == 2


def test_a_request_is_nobodys_demand_until_it_is_held() -> None:
    now = [100.0]
    demand = DemandCounter(lambda: now[0])
    with demand.request() as counted:
        counted.receive(300)
        now[0] += 5
        assert demand.report().idle_seconds == 5
    assert demand.report().idle_seconds == 5
    with demand.request() as counted:
        counted.receive(300)
        counted.hold()
        counted.hold()
        counted.receive(100)
        assert (demand.report().held_requests, demand.report().held_bytes) == (1, 400)
    assert (demand.report().held_requests, demand.report().held_bytes) == (0, 0)
