//! Alerts as people read them.
