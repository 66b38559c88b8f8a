"""What people can do with profiles and exports, as a list the composition root reads."""

from opora.core.profiles.usecases import exports, profiles

USE_CASES = (*exports.USE_CASES, *profiles.USE_CASES)
