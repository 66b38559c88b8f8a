"""What can be wrong about a job."""

from opora.core.kernel.errors import Conflict, DomainError, NotFound


class NoSuchJob(NotFound):
    """There is no such job."""

    code = "no_such_job"


class LeaseLost(Conflict):
    """The job's lease ended or another attempt began; this attempt's end does not count."""

    code = "lease_lost"


class JobCancelled(Conflict):
    """The job was cancelled while it ran."""

    code = "job_cancelled"


class Hopeless(DomainError):
    """The job failed for a cause that no retry can mend."""

    code = "job_hopeless"
