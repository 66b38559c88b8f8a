"""What can be wrong about notices and their deliveries."""

from opora.core.kernel.errors import Conflict, DomainError, Invalid, NotFound


class NoSuchNotice(NotFound):
    """No notice has this id, or it is not the caller's."""

    code = "no_such_notice"


class NoSuchDelivery(NotFound):
    """No delivery has this id."""

    code = "no_such_delivery"


class Undelivered(DomainError):
    """The other side did not take it."""

    code = "undelivered"


class Deferred(Undelivered):
    """The other side asks to be tried again later, or did not answer."""

    code = "delivery_deferred"


class Refused(Undelivered):
    """The other side will never take it."""

    code = "delivery_refused"


class Unsure(Undelivered):
    """It left, and the connection ended before anybody said whether it arrived."""

    code = "delivery_unsure"


class TargetGone(Refused):
    """The place it was for is there no more, and is forgotten."""

    code = "delivery_target_gone"


class PersonRequired(Conflict):
    """Notices are kept for people; this key acts for nobody."""

    code = "person_required"


class PreferencesInvalid(Invalid):
    """These preferences cannot be kept: a field is out of its bounds."""

    code = "preferences_invalid"


class UnsubscribeLinkInvalid(NotFound):
    """This link ends no letters."""

    code = "unsubscribe_link_invalid"


class PlaceInvalid(Invalid):
    """Notices cannot go there."""

    code = "place_invalid"


class NoSuchPlace(NotFound):
    """No subscription or endpoint has this id, or it is not the caller's."""

    code = "no_such_place"


class TooManyPlaces(Conflict):
    """As many places as one may have are registered; remove one first."""

    code = "too_many_places"


class NotRetryable(Conflict):
    """Only a delivery that failed can be sent again."""

    code = "delivery_not_failed"
