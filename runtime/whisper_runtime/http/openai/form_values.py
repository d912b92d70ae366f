"""What a form has for the fields of its model, and the model of it; pure.

A form is read as FastAPI reads one: what is empty is absent, an array has each of its values, and a field that the
model does not name is left as it is. FastAPI finds out what each field is anew with every request (ADR 90).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar, get_origin

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.datastructures import FormData, UploadFile

BODY: Final = "body"
"""Where an error of a form says that it is."""

F = TypeVar("F", bound=BaseModel)


def form_of(kind: type[F], form: FormData) -> F:
    """The form as a model of that kind; raises RequestValidationError, as FastAPI does, with each wrong field."""
    try:
        return kind.model_validate(form_values(kind, form))
    except ValidationError as error:
        found = [{**one, "loc": (BODY, *one["loc"])} for one in error.errors(include_url=False)]
        raise RequestValidationError(found, body=form) from None


def form_values(kind: type[BaseModel], form: FormData) -> dict[str, Any]:
    """The values by the names that the form has for them."""
    given: dict[str, list[Any]] = {}
    for name, value in form.multi_items():
        given.setdefault(name, []).append(value)
    is_array = _is_array(kind)
    found: dict[str, Any] = {}
    for name, values in given.items():
        if name not in is_array:
            found[name] = values[0] if len(values) == 1 else values
        elif is_array[name]:
            if files_alone := [value for value in values if not _is_no_file(value)]:
                found[name] = files_alone
        elif values[-1] != "" and not _is_no_file(values[-1]):
            found[name] = values[-1]
    return found


@cache
def _is_array(kind: type[BaseModel]) -> Mapping[str, bool]:
    """Whether a field holds several values, by its name in the form."""
    fields = kind.model_fields.items()
    return {field.alias or name: get_origin(field.annotation) is list for name, field in fields}


def _is_no_file(value: Any) -> bool:
    """Whether it is what a browser sends where no file was chosen."""
    return isinstance(value, UploadFile) and value.filename == "" and value.size == 0
