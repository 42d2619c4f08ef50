"""Options: of detectors (a dataclass), of data sets and metrics (keyword arguments), of the command line.

Options are scalars and strings, strictly typed: ``window=True`` and ``window="12"`` are errors.
"""

import dataclasses
import functools
import inspect
import textwrap
import tomllib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, dataclass_transform, get_type_hints

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic.fields import FieldInfo

from tsad_core.detector import get_params_method, load_method, save_method, set_params_method
from tsad_core.errors import OptionError, PluginError, did_you_mean
from tsad_core.parts import with_checks

Option = bool | int | float | str
Target = TypeVar("Target")
Result = TypeVar("Result")

_METHODS = {"get_params": get_params_method, "set_params": set_params_method, "save": save_method, "load": load_method}
_STRICT = ConfigDict(strict=True, extra="forbid", use_attribute_docstrings=True)


@dataclass_transform(kw_only_default=True)
def detector(cls: type[Target]) -> type[Target]:
    """Make a class a detector: its fields become keyword-only, checked options.

    The class brings ``fit`` and ``detect``; what it does not define itself of ``get_params``,
    ``set_params``, ``save`` and ``load`` is added. Unknown options, values of the wrong type
    and values out of range raise `OptionError`. Parts that are not (steps, channels) of numbers,
    segments that start elsewhere, and a part with other channels than were learnt from raise
    `DataError` before a method sees them; what `numpy.asarray` takes becomes an array.
    """
    made = dataclass(kw_only=True, eq=False, config=_STRICT)(cls)
    checked_init = made.__init__

    @functools.wraps(checked_init)
    def __init__(self: Any, **options: Option) -> None:  # noqa: N807 - it replaces the one just made
        try:
            checked_init(self, **options)
        except ValidationError as error:
            raise OptionError(_explain(error, made.__name__, option_names(made))) from None
        _keep_given(self, options)

    with_checks(made)
    made.__doc__ = _with_options(cls.__doc__, made)
    made.__init__ = __init__  # type: ignore[method-assign]  # the dataclass's own, with our errors
    for name, method in _METHODS.items():
        if not hasattr(made, name):
            setattr(made, name, method)
    return made  # type: ignore[return-value]  # pydantic's dataclass wraps the same class


def _with_options(text: str | None, made: Any) -> str | None:
    """Return a class's docstring with its options and what stands below each: ``help`` shows no more of them."""
    options = [_told(name, field) for name, field in made.__pydantic_fields__.items() if field.description]
    if text is None or not options:
        return text
    presets = ", ".join(getattr(made, "presets", ()))
    after = f"\nPresets, as in {made.__name__}(**{made.__name__}.presets[...]): {presets}\n" if presets else ""
    return "\n".join([f"{inspect.cleandoc(text)}\n\nOptions:\n", *options, after])


def _told(name: str, field: FieldInfo) -> str:
    given = name if field.is_required() else f"{name} = {field.default!r}"
    told = " ".join(f"{given}: {field.description}".split())
    return textwrap.fill(told, width=116, initial_indent=" " * 4, subsequent_indent=" " * 8, break_on_hyphens=False)


def _keep_given(made: Any, options: Mapping[str, Option]) -> None:
    """Undo that pydantic sets a `Literal`'s own string for an equal one: scikit-learn's ``clone`` asks for the same."""
    for name, given in options.items():
        if isinstance(given, str) and vars(made)[name] == given:
            vars(made)[name] = given


def option_names(cls: type[Any]) -> list[str]:
    """Return the names of a detector's options, in the order of their definition."""
    return [field.name for field in dataclasses.fields(cls)]


def bind(
    function: Callable[..., Result], options: Mapping[str, Any], *, owner: str, provided: Iterable[str] = ()
) -> Callable[..., Result]:
    """Check options against a function's keyword arguments and return the function with them set.

    `provided` names the arguments that the caller will add and no option may set. `owner` is
    named in errors, as in ``"data set ucr"``.
    """
    hints = _hints(function, owner) if options else {}
    known = [name for name in inspect.signature(function).parameters if name not in set(provided)]
    for name in options:
        if name not in known:
            raise OptionError(_unknown(owner, name, known))
    return functools.partial(
        function, **{k: _checked(v, hints.get(k, Any), f"{owner}: {k}") for k, v in options.items()}
    )


def parse_assignments(assignments: Iterable[str]) -> dict[str, dict[str, Option]]:
    """Read ``mma.window=256`` and its like: options by the name of their owner.

    Values are read as TOML (``256``, ``0.5``, ``true``, ``"text"``); what is none of these is text, and a number in
    quotes is (``'dsads.abnormal="5"'`` in a shell).
    """
    options: dict[str, dict[str, Option]] = {}
    for assignment in assignments:
        path, equals, value = assignment.partition("=")
        owner, dot, name = path.strip().partition(".")
        if not (equals and dot and owner and name):
            raise OptionError(f"--set takes NAME.OPTION=VALUE, as in mma.window=256; given: {assignment!r}")
        options.setdefault(owner, {})[name] = _value(value.strip())
    return options


def _value(text: str) -> Option:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
    return value if isinstance(value, bool | int | float | str) else text


def _hints(function: Callable[..., Any], owner: str) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except NameError as error:
        message = f"{owner}: {error.name!r} is annotated but not importable; import it outside TYPE_CHECKING"
        raise PluginError(message) from error


def _checked(value: Any, hint: Any, what: str) -> Any:
    try:
        return TypeAdapter(hint, config=ConfigDict(strict=True)).validate_python(value)
    except ValidationError as error:
        raise OptionError(f"{what} = {value!r}: {_faults(error)}") from None


def _explain(error: ValidationError, owner: str, known: list[str]) -> str:
    first = error.errors()[0]
    if not first["loc"]:  # raised by the class itself, about several options at once
        return f"{owner}: {_faults(error)}"
    name = str(first["loc"][0])
    if first["type"] == "unexpected_keyword_argument":
        return _unknown(owner, name, known)
    same = [fault for fault in error.errors() if fault["loc"][:1] == (name,)]
    return f"{owner}: {name} = {first['input']!r}: {_join(map(_message, same))}"


def _faults(error: ValidationError) -> str:
    return _join(map(_message, error.errors()))


def _message(fault: Mapping[str, Any]) -> str:
    # on the command line 5 is a number and "5" is text
    return f'{fault["msg"]}, as "{fault["input"]}" in quotes' if fault["type"] == "string_type" else str(fault["msg"])


def _join(messages: Iterable[str]) -> str:
    return " or ".join(message[0].lower() + message[1:] for message in messages)


def _unknown(owner: str, name: str, known: Iterable[str]) -> str:
    return f"{owner} has no option {name!r}; {did_you_mean(name, known)}"
