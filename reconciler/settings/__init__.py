"""The settings file: how to observe, which providers write, how long is waited, what stops. Read once.

Secrets stay unresolved. `values.py` is what the program reads, `file.py` what people write, `fields.py` its kinds of
fields. `plain.py` takes usual settings, and `modelled.py` all others by their models, with every error; `build.py`
makes of either what the program reads, and `load.py` is where it begins.
"""

from reconciler.settings.journal import journal_url
from reconciler.settings.load import load_settings, settings_schema
from reconciler.settings.values import (
    DnsSettings,
    EndpointSettings,
    JournalSettings,
    LockSettings,
    NotificationSettings,
    OfflineSettings,
    ProbeSettings,
    Settings,
    ZonefileSettings,
    endpoint_url,
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
