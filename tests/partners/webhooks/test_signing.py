"""Signatures as receivers check them, and secrets that are not such."""

from __future__ import annotations

import pytest

from hub.core.errors import InvalidRequest
from partners.webhooks.signing import headers, key_of, minted


def test_the_example_of_the_specification_is_signed_as_it_says() -> None:
    """The test vector of the reference libraries of Standard Webhooks."""
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_minted_secret_is_one_and_no_two_are_alike() -> None:
    first, second = minted(), minted()
    assert first != second
    assert [len(key_of(secret)) for secret in (first, second)] == [32, 32]


def test_without_a_key_a_call_has_an_id_and_a_time() -> None:
    assert headers("evt_1", 7, b"{}", None) == {"webhook-id": "evt_1", "webhook-timestamp": "7"}


@pytest.mark.parametrize(
    "secret", ["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_", "whsec_c2hvcnQ=", "whsec_?", "whsec_ä"]
)
def test_what_is_no_secret_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        key_of(secret)
    assert secret == "whsec_" or secret.removeprefix("whsec_") not in refused.value.message
