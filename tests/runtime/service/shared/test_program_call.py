"""A call knows what rights it needs, on the keys of its service alone."""

from __future__ import annotations

from whisper_runtime.service.shared.program_call import ProgramCall, needed_rights, service_key


def test_keys_of_a_service_have_its_name_in_braces() -> None:
    assert service_key("team/speech", "results") == "whisper:{team/speech}:results"


def test_the_rights_are_those_commands_that_the_programs_call_each_once() -> None:
    calls = [
        ProgramCall("redis.call('TIME') redis.call('HSET', KEYS[1])", ("a",), ()),
        ProgramCall("return redis.call('TIME') + redis.call('ZADD', KEYS[1])", ("a",), ()),
    ]
    assert needed_rights("team/speech", calls) == "~whisper:{team/speech}:* +info +eval +evalsha +time +hset +zadd"
