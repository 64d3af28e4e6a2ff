//! What an interface can have of the fast path.

/// What an interface can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct FastPath {
    /// Whether the kernel takes the XDP program from this process; if not, why, and what to do.
    pub(in super::super) xdp: Result<(), String>,
    /// The same of the tc program.
    pub(in super::super) tc: Result<(), String>,
    /// Whether the interface has Ethernet frames, which is all that the programs read.
    pub(in super::super) ethernet: bool,
    /// Whether the driver runs XDP programs; `None` where the kernel does not tell.
    pub(in super::super) native: Option<bool>,
    /// Whether it does so for frames that are larger than a page; `None` likewise.
    pub(in super::super) scattered: Option<bool>,
    /// The id of the XDP program that is there now, whoever's it is.
    pub(in super::super) program: Option<u32>,
    /// Whether the kernel has tcx; `None` when this process may not ask.
    pub(in super::super) tcx: Option<bool>,
    /// Whether this host, or another through it, is reached by the interface: then frames must pass.
    pub(in super::super) in_path: bool,
}

/// Asks about an interface.
pub(super) fn probe(name: &str) -> FastPath {
    let missing = || Err("the kernel program is not in this version".to_owned());
    FastPath {
        xdp: missing(),
        tc: missing(),
        ethernet: true,
        native: None,
        scattered: None,
        program: None,
        tcx: None,
        in_path: crate::capture::interface::is_in_path(name),
    }
}
