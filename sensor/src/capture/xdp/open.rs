//! Opening an interface by the fast path: the program loaded, put in its place, and a source a worker.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;

use aya::util::nr_cpus;
use egret_ebpf::{Control, Key4, Key6, Set, Totals, action};

use super::attach::Attachment;
use super::ending::Ending;
use super::layout::Layout;
use super::link::Hook;
use super::load::{Constants, LoadError, Loaded, OBJECT, Which, load};
use super::mapping::Mapping;
use super::parts::{Attached, Parts, Shape, Whole};
use super::source::Fast;
use crate::capture::interface;
use crate::capture::live::{Direction, Settings};
use crate::text::reason;

/// The kernel's places for the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::capture) enum Place {
    /// In the driver. Frames end there, but those for this host, when `ends` says so.
    Native {
        /// Whether the interface is a mirror port, whose frames nobody else wants.
        ends: bool,
    },
    /// Behind the driver; frames go on.
    Generic,
    /// Where frames enter the network stack or, for both directions, leave it too; they go on.
    Tc(Direction),
}

/// Opens an interface: one source a worker, for at most [`egret_ebpf::MAX_RINGS`] of them, and what
/// changes later what becomes of its frames.
///
/// # Errors
/// A sentence for people: which step failed, why, and what to do.
pub(in crate::capture) fn open(
    interface: &str,
    settings: &Settings,
    place: Place,
) -> Result<(Vec<Fast>, Ending), String> {
    if !interface::is_ethernet(interface) {
        return Err(
            "the kernel program reads Ethernet, and this interface has other frames".to_owned()
        );
    }
    if cfg!(not(target_arch = "x86_64")) {
        return Err("counters shared with the kernel are read in the order of x86-64's memory, and this machine has another".to_owned());
    }
    let cpus = nr_cpus().map_err(|(path, error)| format!("{path}: {}", reason(&error)))?;
    let constants = Constants {
        layout: Layout::new(cpus, settings.workers, settings.slots),
        mac: interface::hardware_address(interface).unwrap_or_default(),
        snaplen: settings.snaplen,
        action: place.action(),
    };
    let program = load(OBJECT, place.which(), &constants).map_err(|error| error.to_string())?;
    // All memory is there before the first frame is.
    let maps = Maps::of(&program, &constants.layout)?;
    let fd = program.program().map_err(|error| error.to_string())?;
    let attached: Arc<dyn Attached> = Arc::new(Attachment::new(&fd, interface, place.hooks())?);
    let ending = Ending::new(Arc::clone(&maps.control));
    Ok((sources(&program, maps, &attached, &constants)?, ending))
}

impl Place {
    const fn which(self) -> Which {
        match self {
            Self::Native { .. } | Self::Generic => Which::Xdp,
            Self::Tc(_) => Which::Tc,
        }
    }

    const fn action(self) -> u32 {
        match self {
            Self::Native { ends: true } => action::DROP,
            Self::Native { ends: false } | Self::Generic | Self::Tc(_) => action::PASS,
        }
    }

    const fn hooks(self) -> &'static [Hook] {
        match self {
            Self::Native { .. } => &[Hook::Native],
            Self::Generic => &[Hook::Generic],
            Self::Tc(Direction::In) => &[Hook::Ingress],
            Self::Tc(Direction::Both) => &[Hook::Ingress, Hook::Egress],
        }
    }
}

/// The maps that user space reads where the kernel writes them.
struct Maps {
    slots4: Arc<Mapping>,
    slots6: Arc<Mapping>,
    touched: [Arc<Mapping>; 2],
    totals: Mapping,
    control: Arc<Mapping>,
}

impl Maps {
    fn of(program: &Loaded, layout: &Layout) -> Result<Self, String> {
        let map = |name, items: u32, size| {
            let fd = program.map(name).map_err(|error| error.to_string())?;
            Mapping::new(&fd.as_fd(), items as usize * size)
                .map_err(|error| format!("mapping {name} failed: {}", reason(&error)))
        };
        let (sets4, sets6) = (layout.whole(layout.sets4), layout.whole(layout.sets6));
        Ok(Self {
            slots4: Arc::new(map("SLOTS4", sets4, size_of::<Set<Key4>>())?),
            slots6: Arc::new(map("SLOTS6", sets6, size_of::<Set<Key6>>())?),
            touched: [
                Arc::new(map("TOUCHED4", layout.blocks(layout.sets4), size_of::<u64>())?),
                Arc::new(map("TOUCHED6", layout.blocks(layout.sets6), size_of::<u64>())?),
            ],
            totals: map("TOTALS", layout.cpus, size_of::<Totals>())?,
            control: Arc::new(map("CONTROL", 1, size_of::<Control>())?),
        })
    }
}

fn sources(
    program: &Loaded,
    maps: Maps,
    attached: &Arc<dyn Attached>,
    constants: &Constants,
) -> Result<Vec<Fast>, String> {
    let said = |error: LoadError| error.to_string();
    let layout = &constants.layout;
    let shape = Shape {
        cpus: layout.cpus as usize,
        rings: layout.rings as usize,
        sets4: layout.sets4 as usize,
        sets6: layout.sets6 as usize,
    };
    let overflow = [program.map("OVERFLOW0"), program.map("OVERFLOW1")];
    let [overflow0, overflow1] = overflow.map(|map| map.map_err(said));
    let overflow = [overflow0?, overflow1?];
    let Maps { slots4, slots6, touched, totals, control } = maps;
    let mut whole = Some(Whole { overflow, totals });
    let last = Arc::default();
    let source = |number| {
        let parts = Parts {
            ring: program.ring(number).map_err(said)?,
            ring_bytes: layout.ring_bytes as usize,
            ring_number: number,
            slots4: Arc::clone(&slots4),
            slots6: Arc::clone(&slots6),
            touched: touched.clone(),
            control: Arc::clone(&control),
            shape,
            snaplen: constants.snaplen,
            last: Arc::clone(&last),
            attached: Arc::clone(attached),
            whole: whole.take(),
        };
        Fast::new(parts)
            .map_err(|error: io::Error| format!("mapping a ring failed: {}", reason(&error)))
    };
    (0..shape.rings).map(source).collect()
}
