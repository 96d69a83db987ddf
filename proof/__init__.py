"""The fault-injection proof: judges the hub from outside, by the logs of poster and destination."""
