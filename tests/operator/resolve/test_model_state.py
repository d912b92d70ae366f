"""Which model pods may be given."""

from __future__ import annotations

from tests.operator.samples import claim, deployment, fetched, observed, resolved, service
from whisper_operator.resolve.model import ModelRef


def test_until_a_new_model_is_fetched_the_pods_keep_the_old_one() -> None:
    old, new = service(), service(model={"name": "small"})
    there = [claim(old), fetched(old, claim(old))]
    there.append(deployment(old, *there))
    assert resolved(new, observed(*there)).model.admitted == ModelRef("base", None)
    there.append(fetched(new, claim(new)))
    assert resolved(new, observed(*there)).model.admitted == ModelRef("small", None)
