"""How hard calls are tried, and when an endpoint is given up."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_DEAD_S = 20.0


@dataclass(frozen=True)
class Policy:
    """How hard a call is tried, and how long an endpoint that fails is believed in."""

    workers: int = 10
    """Calls in flight at most. A call is in flight until its reply is durable."""
    max_retries: int = 5
    """Further tries after a transport fault or a 5xx; a 429 is no try, nor is what fails in an outage."""
    backoff_s: float = 0.5
    """Wait before the second try; doubled for each further one, and jittered."""
    max_backoff_s: float = 30.0
    deadline_s: float = 900.0
    """How long one call is tried from its first sending on, waits included."""
    price: tuple[float, float] = (0.0, 0.0)
    """US dollars for a million prompt tokens and a million completion tokens."""
    priced: bool = True
    """Whether `price` is known; a budget cannot be kept where it is not."""
    max_output: int | None = None
    """Tokens the model can answer with at most; what a budget reserves where the sampling sets no limit."""
    trip_after: int = 8
    """Tries in a row, of all calls to the endpoint, whose failing makes an outage: then one call at a time is tried."""
    dead_after_s: float | None = None
    """An outage of this length stops the run; as long as the waits of one call's tries, and at most 20 s, if null.

    An endpoint that never answered anything is given half of it."""
    silence_s: float = 20.0
    """Seconds in which an endpoint with calls in flight may say nothing at all. Then it is asked for a sign of life,
    an empty request that costs nothing; where that is not answered either, within `sign_of_life_s`, the run stops.
    A slow model behind a live endpoint is waited for."""
    sign_of_life_s: float = 8.0
    slow_factor: float = 20.0
    """A call that takes this many times as long as 95 in 100 calls of its operator is taken for lost and tried again."""
    min_timeout_s: float = 10.0
    """No call is taken for lost earlier; each further try of it may take twice as long."""
    patience_s: float = 600.0
    """How long nothing but 429 is accepted before the run stops."""
    prefix_order: bool = True
    """Whether waiting calls of one depth whose prompts begin alike go together, for endpoints that cache prompts."""

    @property
    def dead_s(self) -> float:
        """Seconds of an outage that stop the run."""
        if self.dead_after_s is not None:
            return self.dead_after_s
        return min(LONGEST_DEAD_S, self.backoff_s * (2.0**self.max_retries - 1))
