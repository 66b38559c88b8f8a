"""What is done with notices, as a list the composition root reads."""

from opora.core.notifications.usecases import carrying, delivering, firing, gathering, operating, personal, placing

USE_CASES = (
    *firing.USE_CASES,
    *carrying.USE_CASES,
    *delivering.USE_CASES,
    *gathering.USE_CASES,
    *operating.USE_CASES,
    *personal.USE_CASES,
    *placing.USE_CASES,
)
