"""What people can do with plans, balances and payments."""

from opora.core.billing.usecases import holds, paying, settling

USE_CASES = (*holds.USE_CASES, *paying.USE_CASES, *settling.USE_CASES)
