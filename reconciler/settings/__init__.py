"""The settings file: how to observe, which providers write, how long is waited, what stops. Read once.

Secrets stay unresolved. `values.py` is what the program reads, `file.py` what people write, `fields.py` its kinds of
fields; `load.py` makes the one of the other.
"""

from reconciler.settings.journal import journal_url
from reconciler.settings.load import load_settings, settings_schema
from reconciler.settings.notifications import EndpointSettings, NotificationSettings, endpoint_url
from reconciler.settings.values import (
    DnsSettings,
    JournalSettings,
    LockSettings,
    OfflineSettings,
    ProbeSettings,
    Settings,
    ZonefileSettings,
)

__all__ = [
    "DnsSettings",
    "EndpointSettings",
    "JournalSettings",
    "LockSettings",
    "NotificationSettings",
    "OfflineSettings",
    "ProbeSettings",
    "Settings",
    "ZonefileSettings",
    "endpoint_url",
    "journal_url",
    "load_settings",
    "settings_schema",
]
