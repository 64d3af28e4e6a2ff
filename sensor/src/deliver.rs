//! Takes alerts from the outbox to the SOC's tools.
