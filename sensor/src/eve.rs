//! Events as EVE JSON lines.
