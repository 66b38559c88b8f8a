"""A key under any run of what people and time may do to it, beside a plain model of it."""

from datetime import timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from opora.core.access.errors import KeyInvalid, KeyNotRotatable
from opora.core.access.model.keys import KeyChanges, KeyRecord, KeyState, KeyStatus
from opora.core.access.model.keytext import Environment, KeyFormat
from opora.core.access.rules.keys import Allow, changed, decide, rotated
from opora.core.kernel.errors import IllegalMove
from opora.core.kernel.model import SYSTEM
from opora.testing.access import HOUR, NOON, a_key

TEXT = KeyFormat().compose(Environment.LIVE, bytes(32))
hours = st.integers(1, 100)


class KeyLife(RuleBasedStateMachine):
    """The model: four facts, each of which shuts the key for itself."""

    @initialize(expiry_h=st.none() | hours)
    def is_made(self, expiry_h):
        self.now = NOON
        self.expires_at = None if expiry_h is None else NOON + expiry_h * HOUR
        self.key = a_key(expires_at=self.expires_at)
        self.is_off = self.is_revoked = False
        self.sunset_at = None

    def works(self):
        """Tell whether the model lets anybody in."""
        ends = [end for end in (self.expires_at, self.sunset_at) if end is not None]
        return not self.is_off and not self.is_revoked and all(self.now < end for end in ends)

    @rule(length_h=hours)
    def time_passes(self, length_h):
        self.now += length_h * HOUR

    @rule(is_off=st.booleans())
    def is_switched(self, is_off):
        wanted = KeyChanges(state=KeyState.DISABLED if is_off else KeyState.ACTIVE)
        if self.is_revoked:
            with pytest.raises(IllegalMove):
                changed(self.key, wanted, self.now)
        else:
            self.key = changed(self.key, wanted, self.now)
            self.is_off = is_off

    @rule()
    def is_revoked_for_good(self):
        if not self.is_revoked:
            self.key = self.key.move(KeyState.REVOKED)
            self.is_revoked = True

    @rule(expiry_h=st.integers(-10, 100))
    def expiry_is_moved(self, expiry_h):
        expires_at = self.now + expiry_h * HOUR
        if expires_at > self.now or expires_at == self.expires_at:
            self.key = changed(self.key, KeyChanges(expires_at=expires_at), self.now)
            self.expires_at = expires_at
        else:
            with pytest.raises(KeyInvalid):
                changed(self.key, KeyChanges(expires_at=expires_at), self.now)

    @rule(overlap_h=st.integers(0, 48))
    def is_rotated(self, overlap_h):
        if self.works() and self.sunset_at is None:
            self.key, successor = rotated(self.key, 8, TEXT, SYSTEM, self.now, overlap_h * HOUR)
            self.sunset_at = min(filter(None, (self.now + overlap_h * HOUR, self.expires_at)))
            assert successor.family_id == self.key.family_id and successor.expires_at == self.expires_at
        else:
            with pytest.raises(KeyNotRotatable):
                rotated(self.key, 8, TEXT, SYSTEM, self.now, overlap_h * HOUR)

    @invariant()
    def key_and_model_agree(self):
        verdict = decide(KeyRecord(self.key, "hmac-sha256:p1"), self.now, "203.0.113.9")
        assert isinstance(verdict, Allow) == self.works()
        assert (self.key.status(self.now) is KeyStatus.REVOKED) == self.is_revoked

    @invariant()
    def what_is_over_stays_over(self):
        if not self.works() and not self.is_off and self.sunset_at is not None:
            assert self.key.status(self.now + timedelta(days=1000)) is not KeyStatus.ACTIVE


TestKeyLife = KeyLife.TestCase
