"""Webhooks: an operator's own endpoints that hear when an alert opens and when it closes.

    alert row and its change, in one unit --> change log --> the webhook's lane --> POST, signed --> its receiver

Each webhook has a lane like a partner (`hub/core/delivery.py`): what is to be told is on disk with the alert itself, is
told at least once, again after failures and after a stop of ours, and under the same id each time.
"""
