"""Token buckets."""

import pytest

from hub.core.limits import RateLimiter, address_key


class Hand:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    clock = Hand()
    limiter = RateLimiter(rate_per_s=10, burst=5, monotonic=clock)
    assert [limiter.take("a") for _ in range(5)] == [0] * 5
    assert limiter.take("a") == pytest.approx(0.1)
    clock.at += 0.1
    assert limiter.take("a") == 0
    assert limiter.take("a") > 0


def test_being_refused_costs_nothing() -> None:
    clock = Hand()
    limiter = RateLimiter(rate_per_s=1, burst=1, monotonic=clock)
    assert limiter.take("a") == 0
    waits = [limiter.take("a") for _ in range(100)]
    assert waits == [pytest.approx(1)] * 100


def test_one_who_waited_long_has_no_more_than_a_burst() -> None:
    clock = Hand()
    limiter = RateLimiter(rate_per_s=10, burst=3, monotonic=clock)
    limiter.take("a")
    clock.at += 3600
    assert [limiter.take("a") > 0 for _ in range(4)] == [False, False, False, True]


def test_keys_do_not_share() -> None:
    limiter = RateLimiter(rate_per_s=1, burst=1, monotonic=Hand())
    assert limiter.take("a") == 0
    assert limiter.take("b") == 0


def test_asking_counts_nothing() -> None:
    limiter = RateLimiter(rate_per_s=1, burst=1, monotonic=Hand())
    assert [limiter.wait_s("a") for _ in range(3)] == [0] * 3
    limiter.take("a")
    assert limiter.wait_s("a") == pytest.approx(1)


def test_the_number_of_keys_is_bounded_and_the_one_in_use_stays() -> None:
    limiter = RateLimiter(rate_per_s=1, burst=1, max_keys=10, monotonic=Hand())
    for number in range(100):
        limiter.take("busy")
        limiter.take(str(number))
    assert limiter.wait_s("busy") > 0
    assert limiter.wait_s("0") == 0


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:0db8:0001:0002"),
        ("2001:db8:1:2::9", "2001:0db8:0001:0002"),
        ("testclient", "testclient"),
    ],
)
def test_an_ipv6_caller_counts_by_its_network(host: str, key: str) -> None:
    assert address_key(host) == key
