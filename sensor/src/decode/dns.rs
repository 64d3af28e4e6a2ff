//! DNS messages, in place.
