"""Letters, messages and calls that leave the house."""

from typing import Annotated

from opora.bootstrap.settings.about import Names, about
from opora.bootstrap.settings.work import WorkSettings


class NotificationSettings(WorkSettings, frozen=True, kw_only=True):
    """The part of the settings that `notifications` reads."""

    mail_from: Annotated[
        str, about("notifications", "The address that letters come from; Message-IDs end in its host.", form="email")
    ] = "opora@localhost.localdomain"
    mail_from_name: Annotated[str, about("notifications", "The name beside that address.")] = "Opora"
    sms_url: Annotated[
        str,
        about(
            "notifications",
            "`https://SID:TOKEN@host/?from=+15551234567`: a service with Twilio's calls. Empty: files in `/sms`.",
            form="sms_url",
            hides="password",
        ),
    ] = ""
    outbound_networks: Annotated[
        Names,
        about(
            "notifications",
            "Networks inside that webhooks and Web Push may call, by `http://` too; others they never call.",
            form="network",
        ),
    ] = ()
    notification_retention_days: Annotated[
        int,
        about("notifications", "Days notices, their deliveries and people's lists of them are kept.", ge=1, le=3650),
    ] = 90
