//! Reads what a flow says.
