"""What people can do with documents, as a list the composition root reads."""

from opora.core.documents.usecases import batches, reference, sweeps, uploads, work

USE_CASES = (*uploads.USE_CASES, *batches.USE_CASES, *work.USE_CASES, *sweeps.USE_CASES, *reference.USE_CASES)
