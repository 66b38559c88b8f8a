"""`make load`: the journeys of `deploy/load` in an open loop, on both set-ups, up to the knee and past it."""
