"""What carries notices out of the house, and what puts them into words."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence

from opora.core.notifications.model.kinds import Kind
from opora.core.notifications.model.letters import Attachment, Letter, PushMessage, TextMessage, WebhookCall, Wording
from opora.core.notifications.model.notices import KeptNotice


class Mailer(ABC):
    """A way for letters."""

    @abstractmethod
    async def send(self, letter: Letter) -> str:
        """Hand the letter over and return what the other side answered.

        Raises Deferred where it says "later" or does not answer, Refused where it says "never", Unsure where the
        letter left and nobody confirmed it. No value of the letter can add a header or an address.
        """


class Texter(ABC):
    """A way for SMS."""

    @abstractmethod
    async def send(self, message: TextMessage) -> str:
        """Hand the message over and return what the other side answered; raises as a Mailer does."""


class Pusher(ABC):
    """A way to browsers: Web Push, encrypted for the browser alone."""

    @abstractmethod
    async def send(self, message: PushMessage) -> str:
        """Hand the message over and return what the push service answered.

        Raises as a Mailer does, and TargetGone where the subscription has ended. No address inside the network is
        ever called.
        """

    @abstractmethod
    def public_key(self) -> str:
        """Return the key that browsers subscribe with (`applicationServerKey`, base64url)."""


class WebhookSender(ABC):
    """A way to other programs: signed calls (Standard Webhooks)."""

    @abstractmethod
    async def send(self, call: WebhookCall) -> str:
        """Call the endpoint and return its answer; 2xx is good.

        Raises Refused for 410 Gone and for an address inside the network, Unsure where the call left and nothing was
        answered, and Deferred for all else: an endpoint that is wrong today may be mended tomorrow.
        """

    @abstractmethod
    def public_key(self) -> str:
        """Return the ed25519 key that verifies `v1a` signatures (`whpk_…`)."""


class Destinations(ABC):
    """What may be called from here."""

    @abstractmethod
    async def refusal(self, url: str) -> str | None:
        """Return why a URL may not be called (not HTTPS, inside the network, no such host), or None."""


class Live(ABC):
    """Says that somebody's list has grown to whoever is connected, in this process and in others."""

    @abstractmethod
    async def announce(self, user_ids: Collection[int]) -> None:
        """Say it without failing; what is lost is found by looking."""

    @abstractmethod
    def listen(self, heard: Callable[[Collection[int]], None]) -> None:
        """Call `heard` with the users of every announcement from now on."""


class Templates(ABC):
    """Notices in words."""

    @abstractmethod
    def render(self, kind: Kind, locale: str, zone: str, values: Mapping[str, object]) -> Wording:
        """Return the notice in a language that there is (that of `locale`, else the first of LOCALES).

        No value is ever read as a template or as markup, and none begins a line of its own. Times are told in `zone`.
        """


class Unsubscribing(ABC):
    """Tokens of the links by which letters are ended from within a mail program: made from a secret, kept nowhere."""

    @abstractmethod
    def token(self, user_id: int, kind: str) -> str:
        """Return the token that ends the letters of a kind for a person; it fits into an address."""

    @abstractmethod
    def read(self, token: str) -> tuple[int, str] | None:
        """Return whose letters of which kind a token ends; None for what was not made here."""


class Attachments(ABC):
    """The files that go with a letter; a context brings one for each name that its kinds give."""

    @abstractmethod
    async def __call__(self, notice: KeptNotice) -> Sequence[Attachment]:
        """Return the files as of now; none where there is nothing left to tell of."""


class Relevance(ABC):
    """The last look at a cause before its notice leaves; a context brings one for each kind that names it."""

    @abstractmethod
    async def __call__(self, notice: KeptNotice) -> bool:
        """Tell whether the notice still says what is true and of use."""
