"""Writes in CEL what `policy.podTemplate: Restricted` allows a patch of a pod template to say."""

from __future__ import annotations

from typing import Any, Final

from whisper_operator.resolve.preflight.policy_pods import AFFINITY_PATH
from whisper_operator.resolve.preflight.policy_rules import TEMPLATES
from whisper_operator.resolve.preflight.policy_shape import (
    AFFINITY,
    CONTAINER,
    NOTHING,
    OF_IMAGES,
    OURS,
    PLAIN_MOUNT,
    SHAPE,
    SHARED_MEMORY,
    Anything,
    DeniedKeys,
    Fields,
    Keys,
    ListOf,
    Matching,
    NotMatching,
    NotOurs,
    OneOf,
    OwnVolume,
    Positive,
    Shape,
    UnusedPath,
)

LISTS: Final = ("containers", "initContainers")


def variables() -> dict[str, str]:
    """The expressions that find what is not allowed, by name: `podTemplateOffences` of all templates, and
    `affinityOffences` of the scheduling.

    Containers are judged by a variable of their own: cel-go parses no expression of more than 100,000 characters.
    """
    containers = " + ".join(_containers(path, name) for path in TEMPLATES for name in LISTS)
    affinity = f"[{{'of': dyn({_holder(AFFINITY_PATH)}.orValue(null)), 'path': dyn('{AFFINITY_PATH}')}}]"
    whole = Fields({**SHAPE.of, "spec": Fields(_without_containers())})
    return {
        "nothing": _values(NOTHING),
        "affinities": affinity,
        "affinityOffences": f"variables.podTemplate == 'Full' ? '' : {_judged('variables.affinities', AFFINITY)}",
        "podTemplates": " + ".join(map(_template, TEMPLATES)),
        "podContainers": containers,
        "podContainerOffences": _judged("variables.podContainers", CONTAINER),
        "podTemplateOffences": (
            "variables.podTemplate == 'Full' ? '' : variables.podTemplate == 'Off' ? "
            "variables.podTemplates.map(t, t.path + ', ').join('') : "
            f"{_judged('variables.podTemplates', whole)} + {_no_lists()} + variables.podContainerOffences"
        ),
    }


def _judged(things: str, shape: Fields) -> str:
    """The text of what is not allowed in a list of objects, each of them `of` at its `path`."""
    whole = f"{things}.filter(t, {_misfit(shape, 't.of')}).map(t, t.path{_shown('t.of')} + ', ').join('')"
    return f"{whole} + {things}.filter(t, type(t.of) == map).map(t, {_fields(shape, 't.of', 't.path', 0)}).join('')"


def _without_containers() -> dict[str, Shape]:
    spec = SHAPE.of["spec"]
    assert isinstance(spec, Fields)
    return {name: Anything() if name in LISTS else shape for name, shape in spec.of.items()}


def _no_lists() -> str:
    """The text of what stands in the place of a list of containers: `{"$patch": "delete"}` would take them all away."""
    value = "t.of.spec[k]"
    wrong = f"{list(LISTS)}.filter(k, k in t.of.spec && {value} != null && type({value}) != list)"
    told = f"{wrong}.map(k, t.path + '.spec.' + k{_shown(value)} + ', ').join('')"
    return (
        "variables.podTemplates.filter(t, type(t.of) == map && type(t.of.?spec.orValue(null)) == map)"
        f".map(t, {told}).join('')"
    )


def _template(path: str) -> str:
    """A list of the template at that path of the spec, with the path; empty where there is none."""
    found = f"{{'path': dyn('{path}'), 'of': dyn({_holder(path)}.orValue(null))}}"
    return f"[{found}].filter(t, !(t.of in [dyn(null), dyn({{}})]))"


def _containers(path: str, name: str) -> str:
    """A list of the template's containers, each with its path and the volumes that the template adds."""
    own = f"'{path}.spec.{name}[' + item.?name.orValue('') + ']'"
    found = f"{{'path': dyn({own}), 'of': dyn(item), 'volumes': dyn({_list_of(path, 'volumes')})}}"
    return f"{_list_of(path, name)}.map(item, {found})"


def _list_of(path: str, name: str) -> str:
    """That list of the template's spec; an empty one in place of anything else."""
    found = f"{_holder(path)}.?spec.?{name}.orValue(null)"
    return f"(type({found}) == list ? {found} : [])"


def _holder(path: str) -> str:
    """The expression of an optional value at a path that begins with `spec`."""
    return "variables." + path.replace(".", ".?")


def _misfit(shape: Shape, value: str) -> str:
    """Whether a value that is there is not allowed as a whole, whatever its parts are."""
    match shape:
        case Anything():
            return "false"
        case Fields(is_hardened=True):
            return f"type({value}) != map"
        case Fields() | Keys() | DeniedKeys():
            return f"{value} != null && type({value}) != map"
        case ListOf():
            return f"{value} != null && type({value}) != list"
        case _:
            return f"!({_holds(shape, value)})"


def _parts(shape: Shape, value: str, path: str, depth: int) -> str:
    """The text of what is not allowed in a value that fits as a whole, and is not null; empty: it has no parts."""
    match shape:
        case Fields():
            return _fields(shape, value, path, depth)
        case ListOf():
            return _items(shape.of, value, path, depth)
        case Keys():
            return _keys(value, path, f"k{depth}.contains('/') && !{matches(f'k{depth}', shape.setting)}", depth)
        case DeniedKeys():
            return _keys(value, path, matches(f"k{depth}", shape.setting), depth)
        case _:
            return ""


def _fields(shape: Fields, value: str, path: str, depth: int) -> str:
    """All fields are judged in one filter, for what it tells of a field is long: cel-go takes 30 us a character."""
    key = f"k{depth}"
    own = f"{value}[{key}]"
    by_judgement: dict[str, list[str]] = {}
    for name, of in shape.of.items():
        by_judgement.setdefault(_misfit(of, own), []).append(str(name))
    judged = "".join(f"{key} in {names} ? {judgement} : " for judgement, names in by_judgement.items())
    told = f"{path} + '.' + {key}{_shown(own)} + ', '"
    parts = [f"{value}.filter({key}, {judged}!({own} in variables.nothing)).map({key}, {told}).join('')"]
    if shape.required:
        parts.append(f"(has({value}.{shape.required}) ? '' : ({path} + '.{shape.required} \\'\\', '))")
    for name, of in shape.of.items():
        if inner := _parts(of, f"{value}.{name}", f"{path} + '.{name}'", depth + 1):
            kind = "list" if isinstance(of, ListOf) else "map"
            parts.append(f"(has({value}.{name}) && type({value}.{name}) == {kind} ? {inner} : '')")
    return f"({' + '.join(parts)})"


def _items(shape: Fields, value: str, path: str, depth: int) -> str:
    """The items of a list, each with its own path, by its name where it has one."""
    item = f"i{depth}"
    name = f"(type({item}.?name.orValue(0)) == string ? {item}.name : '')"
    named = f"{{'of': dyn({item}), 'path': dyn({path} + '[' + {name} + ']')}}"
    inner = _fields(shape, f"{item}.of", f"{item}.path", depth + 1)
    wrong = f"{value}.filter({item}, {_misfit(shape, item)}).map({item}, {path} + '[]'{_shown(item)} + ', ').join('')"
    right = f"{value}.filter({item}, type({item}) == map).map({item}, {named}).map({item}, {inner}).join('')"
    return f"({wrong} + {right})"


def _keys(value: str, path: str, condition: str, depth: int) -> str:
    key = f"k{depth}"
    return f"{value}.filter({key}, {condition}).map({key}, {path} + '.' + {key} + ', ').join('')"


def _holds(shape: Shape, value: str) -> str:
    match shape:
        case OneOf():
            return f"{value} in {_values(shape.values)}" if shape.values else "false"
        case Positive():
            return f"(type({value}) == int && {value} > 0)"
        case Matching():
            is_text = f"type({value}) == string && {matches(value, shape.setting, shape.after)}"
            return f"({value} == null || ({is_text}))"
        case NotMatching():
            return f"(type({value}) == string && {value} != '' && !{matches(value, shape.setting)})"
        case NotOurs():
            return f"!({value} in {_values(OURS)})"
        case OwnVolume():
            return f"t.volumes.exists(own, own.?name.orValue('') == {value})"
        case UnusedPath():
            is_unused = f"{value}.matches('{PLAIN_MOUNT}') && !{value}.matches('{OF_IMAGES}')"
            return f"(type({value}) == string && ({value} == '{SHARED_MEMORY}' || {is_unused}))"
        case _:
            raise TypeError(f"{shape} has parts")


def matches(value: str, setting: str, after: str = "") -> str:
    """Whether a pattern of the setting matches the value of an expression; `after`: what may follow the pattern."""
    return f"variables.{setting}_re.exists(p, {value}.matches('^' + p + '{after}$'))"


def _values(values: tuple[Any, ...]) -> str:
    """A list of literals of any type, which CEL has to be told of."""
    return f"[{', '.join(f'dyn({_literal(one)})' for one in values)}]"


def _literal(value: Any) -> str:
    return (
        {None: "null", True: "true", False: "false"}[value] if value is None or isinstance(value, bool) else repr(value)
    )


def _shown(value: str) -> str:
    """The end of a text that repeats a value which is no object and no list."""
    return (
        f' + (type({value}) == string ? " \'" + {value} + "\'" : type({value}) == bool ? '
        f"({value} == true ? ' true' : ' false') : type({value}) == int ? ' ' + string({value}) : '')"
    )
