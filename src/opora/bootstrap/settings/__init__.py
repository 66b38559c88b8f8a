"""Everything an operator may set: one flat struct, written in parts; its annotations are the reference."""

from typing import Literal

from opora.bootstrap.settings.generation import GenerationSettings

type Carrier = Literal["rabbitmq", "redis", "none"]


class Settings(GenerationSettings, frozen=True, kw_only=True):
    """The settings of one process. `OPORA_` and the field's name in capitals is the variable."""

    @property
    def embedded(self) -> bool:
        """Tell whether one machine with SQLite is the whole set-up."""
        return self.database_url.startswith("sqlite:")

    @property
    def sqlite_path(self) -> str:
        """The file of the SQLite database; the empty string on PostgreSQL."""
        return self.database_url.removeprefix("sqlite:///") if self.embedded else ""

    @property
    def bus_chosen(self) -> Carrier:
        """What events are published to."""
        return self._carrier(self.bus)

    @property
    def broker_chosen(self) -> Carrier:
        """What carries wake-ups."""
        return self._carrier(self.broker)

    def _carrier(self, word: Literal["auto"] | Carrier) -> Carrier:
        if word != "auto":
            return word
        if self.amqp_url:
            return "rabbitmq"
        return "redis" if self.redis_url else "none"
