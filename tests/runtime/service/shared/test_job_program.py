"""The trial of jobs needs every right that a verb needs, and no verb is taken for another service's."""

from __future__ import annotations

import re

from testbed.store_server import ALL_RIGHTS
from whisper_runtime.service.shared.job_program import TEXT, job_call
from whisper_runtime.service.shared.program_call import needed_rights


def test_the_trial_calls_each_command_that_any_verb_calls() -> None:
    trial = TEXT[TEXT.index("function verbs.try") :]
    called = re.compile(r"redis\.call\('(\w+)'")
    assert set(called.findall(trial)) == set(called.findall(TEXT))


def test_the_documented_rights_are_those_that_the_trial_needs() -> None:
    needed = needed_rights("team/speech", [job_call("team/speech", "try")]).split()
    assert set(needed) - {"~whisper:{team/speech}:*"} <= set(ALL_RIGHTS)


def test_a_call_names_its_service_and_the_time_where_that_is_not_the_servers() -> None:
    call = job_call("team/speech", "get", "a", now=2.5)
    assert (call.keys, call.arguments) == (
        ("whisper:{team/speech}:jobs",),
        ("whisper:{team/speech}:", "2.5", "get", "a"),
    )
    assert job_call("team/speech", "get").arguments[1] == ""


def test_only_a_put_is_refused_by_a_store_without_memory() -> None:
    assert job_call("a", "put").program.startswith("#!lua\n")
    assert job_call("a", "finish").program.startswith("#!lua flags=allow-oom\n")
