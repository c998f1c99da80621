"""From an octoDNS provider block, word for word as in an octoDNS configuration, to our writer for it.

Made as octoDNS's Manager makes them (class by its dotted name, keywords, secret handlers), and yet for the one
provider in use alone: a variable that another provider needs may be missing. Two differences, on purpose:

* a credential stays text. octoDNS turns `env/NAME` into a number when it looks like one, which makes the secret
  `0123` another secret;
* what goes wrong is one `ProviderConfigError` without a traceback, and without a secret.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, TypeVar

from reconciler.apply import ApplyError, ProviderConfigError
from reconciler.wording import INSTALL_EXTRAS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from octodns.provider.base import BaseProvider

    from reconciler.apply import ZoneWriter
    from reconciler.diff import Change
    from reconciler.names import Name

_CREDENTIAL = re.compile(r"secret|passw|token|credential|api_?key|access_key|private|(?:^|_)key$", re.IGNORECASE)
_CREDENTIAL_EXCEPT = re.compile(r"_(?:name|algorithm|file|path)$", re.IGNORECASE)
_IN_THE_LOCK = frozenset({"octodns_bind", "octodns_powerdns", "octodns_route53"})
_BASE_PROVIDER = "octodns.provider.base.BaseProvider"
_REDACTED = "(secret)"
_Made = TypeVar("_Made")


class SecretHandler(Protocol):
    """An octoDNS secret handler."""

    def fetch(self, name: str, source: object) -> object:
        """The secret called `name`; `source` is the block that asks, with a `context` for messages."""
        ...


def build_writer(
    provider_id: str, block: Mapping[str, object], secret_handlers: Mapping[str, Mapping[str, object]]
) -> ZoneWriter:
    """The writer for one provider block.

    `block` is the mapping below the provider's id, `secret_handlers` the configuration's mapping of that name.

    Raises:
        ProviderConfigError: the class does not import, a variable is not set, or the class refuses its keywords.

    """
    secrets = _Secrets(f"provider {provider_id!r}", secret_handlers)
    provider_class, keywords = _resolved(block, secrets)
    if _BASE_PROVIDER not in _ancestry(provider_class):
        message = (
            f"provider {provider_id!r}: {block['class']} cannot be written to; "
            f"name the class of an octoDNS provider, not of a source or something else"
        )
        raise ProviderConfigError(message)

    def make_provider() -> BaseProvider:
        return _instance(provider_class, provider_id, keywords, secrets)

    provider = make_provider()
    if provider.apply_disabled:
        message = (
            f"provider {provider_id!r} has apply_disabled, so nothing is written through it; remove that line to apply"
        )
        raise ProviderConfigError(message)
    try:
        writer = _dispatched(provider, make_provider, provider_id)
    except (TypeError, ValueError) as exc:
        # octoDNS's classes keep some keywords as they come, whatever they are
        detail = secrets.redacted(f"{type(exc).__name__}: {exc}")
    else:
        return RedactingWriter(writer, secrets.redacted)
    message = f"provider {provider_id!r}: its settings cannot be used ({detail}); correct its block"
    raise ProviderConfigError(message)


@dataclass(frozen=True, slots=True)
class RedactingWriter:
    """Another writer whose error messages lose the provider's secrets, wherever they came from.

    An exception that the inner writer did not foresee is one domain's failure, too.
    """

    inner: ZoneWriter
    redacted: Callable[[str], str]

    def write(self, zone: Name, changes: Sequence[Change]) -> None:
        """Write through the inner writer; see the contract of `reconciler.apply`."""
        try:
            self.inner.write(zone, changes)
        except ApplyError as exc:
            cleaned = self.redacted(str(exc))
            if cleaned == str(exc):
                raise
            replaced = type(exc)(cleaned)
            replaced.code = exc.code
            # the cause would show the secret again
            raise replaced from None
        except Exception as exc:  # noqa: BLE001 - a client meets its odd settings anywhere, with any exception
            message = (
                f"an unforeseen failure ({type(exc).__name__}: {self.redacted(str(exc))}); "
                "correct the provider's block, plan again to see what is written, and report this if it stays"
            )
            raise ApplyError(message) from None


def _dispatched(provider: BaseProvider, make_provider: Callable[[], BaseProvider], provider_id: str) -> ZoneWriter:
    """The most exact writer there is; by qualified names, because most providers' packages are not installed."""
    ancestry = _ancestry(type(provider))
    if "octodns_bind.Rfc2136Provider" in ancestry:
        from reconciler.apply.rfc2136 import Rfc2136Writer  # noqa: PLC0415 - only what is used is imported

        return Rfc2136Writer(provider, provider_id=provider_id)
    if "octodns_bind.ZoneFileProvider" in ancestry:
        from reconciler.apply.zonefile import ZonefileWriter  # noqa: PLC0415

        return ZonefileWriter(provider, provider_id=provider_id)
    if "octodns_powerdns.PowerDnsProvider" in ancestry:
        from reconciler.apply.powerdns import PowerDnsWriter  # noqa: PLC0415

        return PowerDnsWriter(provider, provider_id=provider_id)
    if "octodns_route53.provider.Route53Provider" in ancestry:
        from reconciler.apply.route53 import Route53Writer  # noqa: PLC0415

        return Route53Writer(provider, provider_id=provider_id)
    from reconciler.apply.overlay import OverlayWriter  # noqa: PLC0415

    return OverlayWriter(make_provider, provider_id=provider_id)


def _ancestry(provider_class: type) -> frozenset[str]:
    return frozenset(f"{c.__module__}.{c.__qualname__}" for c in provider_class.__mro__)


@dataclass(slots=True)
class _Secrets:
    """Resolves `handler/name` in a block's values and remembers what must not be shown."""

    owner: str
    configured: Mapping[str, Mapping[str, object]]
    _handlers: dict[str, SecretHandler] = field(default_factory=dict)
    _shown_never: set[str] = field(default_factory=set)

    def keywords(self, source: Mapping[str, object]) -> dict[str, object]:
        """The keywords of a block, nested mappings too; lists are left alone, as octoDNS leaves them."""
        return {key: self._value(key, value) for key, value in source.items() if key != "class"}

    def redacted(self, text: str) -> str:
        """The text without any secret that was resolved so far."""
        for secret in sorted(self._shown_never, key=len, reverse=True):
            text = text.replace(secret, _REDACTED)
        return text

    def _value(self, key: str, value: object) -> object:
        if isinstance(value, Mapping):
            return self.keywords(value)
        is_credential = bool(_CREDENTIAL.search(key)) and not _CREDENTIAL_EXCEPT.search(key)
        handler_id, slash, name = value.partition("/") if isinstance(value, str) else ("", "", "")
        if slash and handler_id == "env" and "env" not in self.configured:
            value = self._from_environment(key, name, as_text=is_credential)
        elif slash and handler_id in self.configured:
            value = self._from_handler(handler_id, key, name)
            is_credential = True
        if is_credential and value not in (None, ""):
            self._shown_never.add(str(value))
        return value

    def _from_environment(self, key: str, name: str, *, as_text: bool) -> object:
        variable, slash, default = name.partition("/")
        if variable not in os.environ and not slash:
            message = f"{self.owner} needs the environment variable {variable} for {key}, and it is not set; set it"
            raise ProviderConfigError(message)
        if as_text:
            return os.environ.get(variable, default)
        from octodns.secret.environ import EnvironSecrets  # noqa: PLC0415 - octodns is imported when DNS is written

        fetched: object = EnvironSecrets("env").fetch(name, None)
        return fetched

    def _from_handler(self, handler_id: str, key: str, name: str) -> object:
        from octodns.context import ContextDict  # noqa: PLC0415 - octodns is imported when DNS is written

        handler = self._handlers.get(handler_id) or self._built_handler(handler_id)
        try:
            return handler.fetch(name, ContextDict(context=self.owner))
        except Exception as exc:  # noqa: BLE001 - a handler's client may raise anything
            # neither its text nor its cause: both may hold a secret
            message = (
                f"{self.owner}: the secret handler {handler_id!r} gave nothing for {key} ({type(exc).__name__}); "
                f"check {handler_id}/{name} and the handler's own settings"
            )
            raise ProviderConfigError(message) from None

    def _built_handler(self, handler_id: str) -> SecretHandler:
        # as in octoDNS, a handler's own block may use env and nothing else
        environment = _Secrets(f"secret handler {handler_id!r}", {})
        handler_class, keywords = _resolved(self.configured[handler_id], environment)
        if not callable(getattr(handler_class, "fetch", None)):
            # said before it is made: a class such as subprocess.Popen acts when it is
            message = f"{environment.owner}: its class is no octoDNS secret handler; correct the class"
            raise ProviderConfigError(message)
        handler: SecretHandler = _instance(handler_class, handler_id, keywords, environment)
        self._handlers[handler_id] = handler
        self._shown_never |= environment._shown_never
        return handler


def _resolved(block: Mapping[str, object], secrets: _Secrets) -> tuple[type, dict[str, object]]:
    """The class that a block names, and its keywords."""
    dotted = block.get("class")
    if not isinstance(dotted, str) or "." not in dotted:
        message = f"{secrets.owner} has no class; say one, as in `class: octodns_bind.Rfc2136Provider`"
        raise ProviderConfigError(message)
    return _imported(dotted, secrets.owner), secrets.keywords(block)


def _imported(dotted: str, owner: str) -> type:
    module_name, _, class_name = dotted.rpartition(".")
    package = module_name.partition(".")[0]
    try:
        found: object = getattr(import_module(module_name), class_name)
    except ModuleNotFoundError as exc:
        missing = exc.name or package
        distribution = missing.partition(".")[0].replace("_", "-")
        message = (
            f"{owner}: {dotted} needs the Python package {distribution}, which is not installed; "
            f"correct the class, or install it {_how_to_install(package, distribution)}"
        )
        raise ProviderConfigError(message) from exc
    except AttributeError as exc:
        message = f"{owner}: the module {module_name} has no {class_name}; correct the class"
        raise ProviderConfigError(message) from exc
    except (Exception, SystemExit) as exc:
        # importing runs somebody else's code, which may even be a program
        message = f"{owner}: importing {module_name} failed ({type(exc).__name__}: {exc}); reinstall that package"
        raise ProviderConfigError(message) from exc
    if not isinstance(found, type):
        message = f"{owner}: {dotted} is no class; correct it"
        raise ProviderConfigError(message)
    return found


def _how_to_install(package: str, distribution: str) -> str:
    """How a provider's package is installed, and with it what it needs."""
    if package in _IN_THE_LOCK:
        return INSTALL_EXTRAS
    return (
        f"in the checkout of this program: .venv/bin/pip install {distribution}; "
        "once it is known to be the right one, put it into a lock of your own, with its hashes"
    )


def _instance(
    made_class: Callable[..., _Made], made_id: str, keywords: Mapping[str, object], secrets: _Secrets
) -> _Made:
    """Instantiate as octoDNS does: the id first, the rest as keywords."""
    try:
        return made_class(made_id, **keywords)
    except TypeError as exc:
        detail = f"its class does not take these settings: {secrets.redacted(str(exc))}"
    except Exception as exc:  # noqa: BLE001 - a constructor is somebody else's code, and may quote its keywords
        detail = f"it could not be set up ({type(exc).__name__}: {secrets.redacted(str(exc))})"
    message = f"{secrets.owner}: {detail}; correct its block"
    raise ProviderConfigError(message)
