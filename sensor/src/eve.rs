//! Events as EVE JSON.

pub mod community_id;
