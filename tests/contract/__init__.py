"""What every sink and source promises, as suites that each connector's tests inherit."""

import pytest

pytest.register_assert_rewrite("tests.contract.sink_contract", "tests.contract.source_contract")
